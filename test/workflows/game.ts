import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fixtureModule } from '../fixtures.ts'
import { rustProject, within } from '../runner/build-stage.ts'
import { must } from '../rust/toolchain.ts'
import { installPrograms } from '../stand-ins/archives.ts'
import type { RepositoryFiles } from './game-repository.ts'

const checks = `checks:
  - served-hash: true
  - reducer: health_check
`

/** A repository with a module in spacetimedb/, checks of it, and a client with bindings. The module is a fixture. */
export async function game(module: string): Promise<RepositoryFiles> {
  return {
    ...within('spacetimedb', rustProject(module)),
    '.spacetimedb/smoke.yml': checks,
    '.spacetimedb/live.yml': checks,
    ...(await bindingsOf(module, 'client/src/module_bindings'))
  }
}

/** As the CLI generates them for TypeScript. */
async function bindingsOf(module: string, path: string): Promise<RepositoryFiles> {
  const folder = mkdtempSync(join(tmpdir(), 'bindings-'))
  try {
    const { 'spacetimedb-cli': cli } = await installPrograms(join(folder, 'programs'), '2.8.3')
    writeFileSync(join(folder, 'module.wasm'), fixtureModule(`${module}.wasm`))
    await must(
      cli,
      ['generate', '--lang', 'typescript', '--out-dir', 'out', '--bin-path', 'module.wasm', '--no-config', '-y'],
      folder
    )
    const out = join(folder, 'out')
    return within(path, Object.fromEntries(readdirSync(out).map((name) => [name, readFileSync(join(out, name))])))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
