import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { type BuildPlan, planBuilds } from '../../src/build/plan.ts'
import { ConfigurationError } from '../../src/errors.ts'
import { type Files, scratch } from './files.ts'

const { folder } = scratch()
const project = { 'server/Cargo.toml': '[package]\nname = "a"', 'other/Cargo.toml': '[package]\nname = "b"' }

type Shown = { builds: object[]; prebuilt: object[]; files: string[] }

/** The plan for a repository with these files, paths from it. */
async function plan(files: Files, environment?: string, path?: string): Promise<Shown> {
  const workspace = await folder(files)
  const planned = await planBuilds({ workspace, path, environment })
  return JSON.parse(JSON.stringify(shown(planned)).replaceAll(`${workspace}/`, '').replaceAll(workspace, '.'))
}

function shown({ builds, prebuilt, configuration }: BuildPlan) {
  return {
    builds: builds.map(({ project, options, databases }) => ({
      folder: project.folder,
      ...(options.debug && { debug: true }),
      ...(options.features && { features: options.features }),
      databases: databases.map(({ name, server }) => (server === undefined ? name : `${name} on ${server}`))
    })),
    prebuilt,
    files: configuration
  }
}

/** The rules of crates/cli/src/spacetime_config.rs, and of the CLI's page about spacetime.json. */
describe('spacetime.json', () => {
  test('with comments and trailing commas names the module and its options', async () => {
    const config = `{
      // JSON5
      database: 'game', "server": "local", "module-path": "./server",
      "build-options": "--debug  --features=a,b", "dev": { "run": "pnpm dev" },
    }`
    expect(await plan({ ...project, 'spacetime.json': config })).toEqual({
      builds: [{ folder: 'server', debug: true, features: 'a,b', databases: ['game on local'] }],
      prebuilt: [],
      files: ['spacetime.json']
    })
  })

  test('without a module-path means what is found without it', async () => {
    const { builds } = await plan({ 'spacetimedb/package.json': '{}', 'spacetime.json': '{"database": "game"}' })
    expect(builds).toEqual([{ folder: 'spacetimedb', databases: ['game'] }])
  })

  test('lies in layers, key by key', async () => {
    const layers = {
      'spacetime.json':
        '{"database": "base", "server": "maincloud", "module-path": "server", "build-options": "--debug"}',
      'spacetime.local.json': '{"database": "local", "server": "mine"}',
      'spacetime.staging.json': '{"database": "staging", "build-options": ""}',
      'spacetime.staging.local.json': '{"database": "staging-mine"}',
      'spacetime.production.json': '{"module-path": "other", "database": "production"}'
    }
    const files = { ...project, ...layers }
    expect((await plan(files)).builds).toEqual([{ folder: 'server', debug: true, databases: ['local on mine'] }])
    expect(await plan(files, 'staging')).toEqual({
      builds: [{ folder: 'server', databases: ['staging-mine on mine'] }],
      prebuilt: [],
      files: ['spacetime.json', 'spacetime.local.json', 'spacetime.staging.json', 'spacetime.staging.local.json']
    })
    const { builds } = await plan(files, 'production')
    expect(builds).toEqual([{ folder: 'other', debug: true, databases: ['production on mine'] }])
  })

  test('has children that inherit what they do not say, but no name', async () => {
    const config = {
      database: 'world',
      server: 'maincloud',
      'module-path': 'server',
      'build-options': '--features=x',
      children: [
        { database: 'north' },
        {
          database: 'lobby',
          'module-path': 'other',
          'build-options': '',
          children: [{ database: 'bar', server: 'local' }]
        },
        { server: 'local' }
      ]
    }
    expect((await plan({ ...project, 'spacetime.json': JSON.stringify(config) })).builds).toEqual([
      { folder: 'server', features: 'x', databases: ['world on maincloud', 'north on maincloud'] },
      { folder: 'other', databases: ['lobby on maincloud', 'bar on local'] }
    ])
  })

  test('has children over which those of a layer lie one by one; it adds none', async () => {
    const { builds } = await plan(
      {
        ...project,
        'spacetime.json': '{"module-path": "server", "children": [{"database": "a"}, {"database": "b"}]}',
        'spacetime.ci.json':
          '{"children": [{"server": "ci"}, {"database": "b-ci", "module-path": "other"}, {"database": "c"}]}'
      },
      'ci'
    )
    expect(builds).toEqual([
      { folder: 'server', databases: ['a on ci'] },
      { folder: 'other', databases: ['b-ci'] }
    ])
  })

  test('gets children by a layer when it has none', async () => {
    const layers = {
      'spacetime.json': '{"module-path": "server"}',
      'spacetime.ci.json': '{"children": [{"database": "a"}]}'
    }
    expect((await plan({ ...project, ...layers }, 'ci')).builds).toEqual([{ folder: 'server', databases: ['a'] }])
  })

  test('may have a module that is built already: children do not inherit it beside their own', async () => {
    const config = {
      database: 'a',
      'bin-path': 'a.wasm',
      children: [{ database: 'b' }, { database: 'c', 'module-path': 'other' }]
    }
    expect(await plan({ ...project, 'spacetime.json': JSON.stringify(config) })).toMatchObject({
      builds: [{ folder: 'other', databases: ['c'] }],
      prebuilt: [{ file: 'a.wasm', databases: [{ name: 'a' }, { name: 'b' }] }]
    })
  })

  test('takes keys with `_`, and what the CLI once left in it', async () => {
    const config = '{"database": "game", "module_path": "server", "_source-config": "spacetime.json"}'
    expect((await plan({ ...project, 'spacetime.json': config })).builds).toMatchObject([{ folder: 'server' }])
  })

  test('without a database is built for nobody in particular: its name may be in a file that git does not have', async () => {
    const { builds } = await plan({
      ...project,
      'spacetime.json': '{"module-path": "server", "dev": {"run": "npm run dev"}}'
    })
    expect(builds).toEqual([{ folder: 'server', databases: [] }])
  })

  test('is looked for upwards from `path`, and its options hold for that project', async () => {
    const files = {
      ...project,
      'spacetime.json': '{"database": "game", "module-path": "server", "build-options": "-d"}'
    }
    expect((await plan(files, undefined, 'server')).builds).toEqual([
      { folder: 'server', debug: true, databases: ['game'] }
    ])
    expect((await plan(files, undefined, 'other')).builds).toEqual([{ folder: 'other', databases: [] }])
  })

  test('in `path` counts more than what else is there', async () => {
    const files = {
      'game/package.json': '{}',
      'game/server/Cargo.toml': '[package]',
      'game/spacetime.json': '{"module-path": "server"}'
    }
    expect((await plan(files, undefined, 'game')).builds).toMatchObject([{ folder: 'game/server' }])
  })
})

describe('spacetime.json with a mistake', () => {
  test.each<[title: string, files: Files, environment: string | undefined, message: RegExp]>([
    [
      'in its syntax',
      { 'spacetime.json': '{"database": }' },
      undefined,
      /^`spacetime\.json` can't be read as JSON: invalid character '}' at 1:14\.$/
    ],
    ['a list', { 'spacetime.json': '[]' }, undefined, /^`spacetime\.json` is a list, and has to be an object\.$/],
    ['nothing', { 'spacetime.json': 'null' }, undefined, /^`spacetime\.json` is `null`, and has to be an object\.$/],
    ...(
      [
        ['server', 'null', '`null`, and has to be a text'],
        ['children', 'null', '`null`, and has to be a list'],
        ['dev', '"npm run dev"', 'a text, and has to be an object'],
        ['generate', '{}', 'an object, and has to be a list'],
        ['native-aot', '1', '`1`, and has to be `true` or `false`'],
        ['num-replicas', '"2"', 'a text, and has to be a number'],
        ['dotnet-version', '[8]', 'a list, and has to be a text or a number']
      ] as const
    ).map(([key, value, says]): [string, Files, undefined, RegExp] => [
      `a ${key} that is ${value}`,
      { 'spacetime.json': `{"${key}": ${value}}` },
      undefined,
      new RegExp(`^\`spacetime\\.json\`: \`${key}\` is ${says}\\.$`)
    ]),
    [
      'in a type',
      { 'spacetime.json': '{"children": [{"database": 7}]}' },
      undefined,
      /^`spacetime\.json`: `children\.0\.database` is `7`, and has to be a text\.$/
    ],
    [
      'in a key',
      { 'spacetime.json': '{"module-pth": "server"}' },
      undefined,
      /^`spacetime\.json`: `module-pth` is no key that the CLI knows\. It knows database, server, module-path,.* children\.$/
    ],
    [
      "in a child's key",
      { 'spacetime.json': '{"children": [{"name": "a"}]}' },
      undefined,
      /`name` in `children\.0` is no key/
    ],
    [
      'in a layer',
      { 'spacetime.json': '{}', 'spacetime.ci.json': '{"server": ""}' },
      'ci',
      /^`spacetime\.ci\.json`: `server` is wrong: it is empty/
    ],
    [
      'in its options',
      { 'spacetime.json': '{"module-path": "server", "build-options": "--relaese"}' },
      undefined,
      /^spacetime\.json: `build-options`: `--relaese` can't be understood .* Allowed are `--debug`,/
    ],
    [
      'a module outside',
      { 'spacetime.json': '{"module-path": "../server"}' },
      undefined,
      /^spacetime\.json: `module-path` \(\.\.\/server\) is outside of the workspace\.$/
    ],
    [
      'a module that is not there',
      { 'spacetime.json': '{"module-path": "sever"}' },
      undefined,
      /^The module's folder `sever` \(`module-path` in `spacetime\.json`\) does not exist/
    ],
    [
      'two modules',
      { 'spacetime.json': '{"module-path": "server", "js-path": "a.js"}' },
      undefined,
      /^spacetime\.json: `module-path` and `js-path` exclude each other/
    ],
    [
      'a wrong .NET',
      { 'spacetime.json': '{"module-path": "server", "dotnet-version": 9}' },
      undefined,
      /^spacetime\.json: `dotnet-version`: \.NET SDK `9` is not supported\. Allowed are `8` and `10`/
    ],
    [
      'no file for the environment',
      {
        'spacetime.json': '{}',
        'spacetime.staging.json': '{}',
        'spacetime.dev.local.json': '{}',
        'spacetime.local.json': '{}'
      },
      'stagin',
      /^The environment `stagin` has no file: neither spacetime\.stagin\.json nor spacetime\.stagin\.local\.json is in `\.`\. There is: dev, staging\.$/
    ],
    [
      'no file at all for the environment',
      {},
      'staging',
      /^The environment `staging` is given, but there is no spacetime\.json in `\.` or a folder above it\./
    ]
  ])('%s', async (_, files, environment, message) => {
    const planned = plan({ ...project, ...files }, environment)
    await expect(planned).rejects.toThrow(message)
    await expect(planned).rejects.toBeInstanceOf(ConfigurationError)
  })
})

test('nothing above the workspace is read', async () => {
  const outer = await folder({ 'spacetime.json': '{"module-path": "elsewhere"}', 'repository/Cargo.toml': '[package]' })
  const { builds, configuration } = await planBuilds({
    workspace: join(outer, 'repository'),
    path: undefined,
    environment: undefined
  })
  expect(configuration).toEqual([])
  expect(builds).toHaveLength(1)
})
