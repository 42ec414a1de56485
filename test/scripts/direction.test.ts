import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'

const root = resolve(import.meta.dirname, '../..')

/** What files of a folder may import, and what not. */
const rules: Record<string, { readonly allowed: readonly string[]; readonly forbidden: readonly string[] }> = {
  'src/module': {
    allowed: ['../errors.ts', './hash.ts', 'zod', 'node:fs'],
    forbidden: ['../spacetimedb/server.ts', '../migration/diff.ts', '../action/run.ts']
  },
  'src/spacetimedb': {
    allowed: ['../errors.ts', '../clock.ts', '../module/hash.ts', '@actions/http-client'],
    forbidden: ['../migration/verdict.ts', '../release/deploy.ts', '../smoke/health.ts', '../action/log.ts']
  },
  'src/migration': {
    allowed: ['../errors.ts', '../module/schema.ts', '../spacetimedb/server.ts'],
    forbidden: ['../release/deploy.ts', '../smoke/health.ts', '../github/deployments.ts', '../action/log.ts']
  },
  'src/smoke': {
    allowed: ['../errors.ts', '../module/schema.ts', '../spacetimedb/server.ts'],
    forbidden: ['../release/deploy.ts', '../migration/diff.ts', '../action/log.ts']
  },
  'src/steps': {
    allowed: ['../errors.ts', '../checked-yaml.ts', '../module/schema.ts', '../spacetimedb/server.ts'],
    forbidden: ['../release/deploy.ts', '../migration/diff.ts', '../smoke/health.ts', '../action/log.ts']
  },
  'src/release': {
    allowed: ['../errors.ts', '../migration/diff.ts', '../smoke/health.ts', '../spacetimedb/server.ts', '../clock.ts'],
    forbidden: ['../github/deployments.ts', '../action/log.ts']
  },
  'src/rehearsal': {
    allowed: [
      '../errors.ts',
      '../release/deploy.ts',
      '../smoke/place.ts',
      '../steps/steps-file.ts',
      '../module/hash.ts'
    ],
    forbidden: ['../setup/install.ts', '../github/base-artifact.ts', '../build/project.ts', '../action/log.ts']
  },
  'src/preview': {
    allowed: ['../errors.ts', '../rehearsal/fill.ts', '../release/deploy.ts', '../spacetimedb/server.ts'],
    forbidden: ['../github/pull-request.ts', '../setup/install.ts', '../action/log.ts']
  },
  'src/setup': {
    allowed: ['../errors.ts', '../process.ts', '../spacetimedb/server.ts'],
    forbidden: ['../build/project.ts', '../github/cache.ts', '../release/deploy.ts', '../action/log.ts']
  },
  'src/build': {
    allowed: ['../errors.ts', '../process.ts', '../module/describe.ts'],
    forbidden: ['../setup/install.ts', '../github/artifacts.ts', '../migration/diff.ts', '../action/log.ts']
  },
  'src/image': {
    allowed: ['../errors.ts', './oci/reference.ts', '../module/hash.ts', '../spacetimedb/network.ts'],
    forbidden: ['../build/manifest.ts', '../setup/install.ts', '../github/artifacts.ts', '../action/log.ts']
  },
  'src/image/oci': {
    allowed: ['../../errors.ts', '../tags.ts', '../../module/hash.ts', '../../spacetimedb/network.ts'],
    forbidden: ['../../build/manifest.ts', '../../setup/install.ts', '../../github/artifacts.ts', '../../action/log.ts']
  },
  'src/github': {
    allowed: ['../errors.ts', '../clock.ts'],
    forbidden: ['../release/deploy.ts', '../spacetimedb/server.ts', '../module/hash.ts', '../action/log.ts']
  },
  'src/action': {
    allowed: ['../errors.ts', '../spacetimedb/server.ts', '@actions/core'],
    forbidden: ['../release/deploy.ts', '../migration/diff.ts', '../module/hash.ts']
  },
  'actions/deploy': { allowed: ['../../src/release/deploy.ts', '@actions/core'], forbidden: [] }
}

const project = mkdtempSync(join(tmpdir(), 'direction-'))
const cases = Object.entries(rules).flatMap(([folder, { allowed, forbidden }]) => {
  const ownRunner = folder === 'src/action' ? [] : ['@actions/core']
  const everywhere = folder.startsWith('src') ? [...ownRunner, '../../actions/deploy/spec.ts'] : []
  return [
    ...allowed.map((source) => ({ folder, source, verdict: 'allowed' })),
    ...[...forbidden, ...everywhere].map((source) => ({ folder, source, verdict: 'forbidden' }))
  ]
})
const complaints = lint(
  cases.map(({ folder, source }, index) => write(`${folder}/case-${index}.ts`, `export * from '${source}'\n`))
)

afterAll(() => rmSync(project, { recursive: true }))

describe('imports go one way', () => {
  test.each(cases.map((each, index) => ({ ...each, index })))('$folder: $source is $verdict', ({ verdict, index }) => {
    expect(complaints[index]).toEqual(verdict === 'forbidden' ? ['lint/style/noRestrictedImports'] : [])
  })
})

test.each([
  ['src/release', ['lint/style/noProcessEnv']],
  ['src/spacetimedb', ['lint/style/noProcessEnv']],
  ['src/action', []],
  ['actions/deploy', []]
])('the environment in %s: %j', (folder, expected) => {
  const file = write(`${folder}/environment.ts`, 'export const home = process.env.HOME\n')
  expect(lint([file])).toEqual([expected])
})

function write(file: string, text: string): string {
  mkdirSync(dirname(join(project, file)), { recursive: true })
  writeFileSync(join(project, file), text)
  return file
}

/** The rules that each file breaks. */
function lint(files: readonly string[]): string[][] {
  copyFileSync(join(root, 'biome.json'), join(project, 'biome.json'))
  const biome = join(root, 'node_modules/@biomejs/biome/bin/biome')
  const options = ['lint', '--vcs-enabled=false', '--reporter=json', '--max-diagnostics=none']
  const { stdout } = spawnSync(process.execPath, [biome, ...options, ...files], { cwd: project, encoding: 'utf8' })
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: { category: string; location: { path: unknown } }[] }
  const pathOf = (path: unknown) => (typeof path === 'string' ? path : String((path as { file: string }).file))
  return files.map((file) =>
    diagnostics.filter(({ location }) => pathOf(location.path) === file).map(({ category }) => category)
  )
}
