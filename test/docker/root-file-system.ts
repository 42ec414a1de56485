import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { programFile } from '../stand-ins/program-bundle.ts'
import { must, run } from './running.ts'

/** What the Dockerfile and the entrypoint use of Debian, and Node for the stand-in programs. */
const programs = [
  ...['cat', 'chmod', 'chown', 'cp', 'date', 'env', 'head', 'id', 'ln', 'mkdir', 'mktemp', 'mv', 'rm', 'sha256sum'],
  ...['sleep', 'sync', 'tail', 'timeout', 'touch', 'tr', 'dash', 'find', 'flock', 'grep', 'sed', 'node']
]

/**
 * Makes an image without a registry: of this machine's own programs, which has to be a Debian for that, with the
 * libraries that they name. It stands in for `debian:bookworm-slim`, with Node in it.
 */
export async function makeBaseImage(docker: Docker, tag: string): Promise<void> {
  await importImage(docker, tag, async (root) => {
    const found = (await must('which', programs)).trimEnd().split('\n')
    for (const path of found) place(root, path, join('/usr/bin', basename(path)))
    const { stdout } = await run('ldd', found)
    const libraries = new Set([...stdout.matchAll(/(?:=> |^\s+)(\/\S+) \(0x/gm)].map(([, path]) => `${path}`))
    for (const path of libraries) place(root, path, path)
    symlinkSync('dash', join(root, 'usr/bin/sh'))
    symlinkSync('usr/bin', join(root, 'bin'))
    for (const folder of ['etc', 'tmp', 'dev', 'proc', 'sys']) mkdirSync(join(root, folder), { recursive: true })
    writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n')
    writeFileSync(join(root, 'etc/group'), 'root:x:0:\n')
  })
}

/** Makes an image with the stand-in programs of a version where `clockworklabs/spacetime` has the real ones. */
export async function makeServerImage(docker: Docker, tag: string, version: string): Promise<void> {
  await importImage(docker, tag, async (root) => {
    mkdirSync(join(root, 'opt/spacetime'), { recursive: true })
    for (const name of ['spacetimedb-cli', 'spacetimedb-standalone'] as const) {
      writeFileSync(join(root, 'opt/spacetime', name), await programFile(name, version), { mode: 0o755 })
    }
    mkdirSync(join(root, 'etc/ssl/certs'), { recursive: true })
    writeFileSync(join(root, 'etc/ssl/certs/ca-certificates.crt'), '')
  })
}

/** Runs the client of an engine; answers what it printed, and throws with what it complained about. */
export type Docker = (...args: string[]) => Promise<string>

async function importImage(docker: Docker, tag: string, fill: (root: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'root-'))
  try {
    const root = join(folder, 'root')
    mkdirSync(root)
    await fill(root)
    await must('tar', ['-C', root, '--owner=0', '--group=0', '-cf', join(folder, 'root.tar'), '.'])
    await docker('import', join(folder, 'root.tar'), tag)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function place(root: string, from: string, to: string): void {
  mkdirSync(join(root, dirname(to)), { recursive: true })
  cpSync(realpathSync(from), join(root, to))
}
