import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Texts and bytes by their paths; `undefined` takes a file away. */
export type RepositoryFiles = Readonly<Record<string, string | Uint8Array | undefined>>

/** A git repository whose workflows are run. */
export class GameRepository {
  readonly folder: string

  constructor(folder: string) {
    this.folder = folder
    mkdirSync(folder)
    this.#git('init', '--quiet', '--initial-branch=main')
  }

  /** Changes files in a new commit; its hash. */
  commit(files: RepositoryFiles): string {
    for (const [path, content] of Object.entries(files)) {
      const file = join(this.folder, path)
      mkdirSync(dirname(file), { recursive: true })
      if (content === undefined) rmSync(file, { force: true })
      else writeFileSync(file, content)
    }
    this.#git('add', '--all')
    this.#git('commit', '--quiet', '--allow-empty', '--message', 'Change the game')
    return this.head
  }

  get head(): string {
    return this.#git('rev-parse', 'HEAD').trim()
  }

  tag(name: string): void {
    this.#git('tag', name)
  }

  #git(...args: string[]): string {
    const identity = ['-c', 'user.name=octocat', '-c', 'user.email=octocat@example.org']
    const env = { PATH: process.env.PATH, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' }
    return execFileSync('git', ['-C', this.folder, ...identity, ...args], { encoding: 'utf8', env })
  }
}
