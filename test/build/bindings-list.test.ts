import { expect, test } from '@jest/globals'
import { parseBindings } from '../../src/build/bindings-list.ts'
import { ConfigurationError } from '../../src/errors.ts'

test('a line for each folder, with options of the CLI', () => {
  const given = `
    typescript:client/src/module_bindings
    # what the game's server tool uses
    C#: tools/My Tool/bindings --namespace Game.Types --include-private

    rs:bot/src/bindings
    unreal:client/unreal --unreal-module-name Game --module-prefix Stdb`
  expect(parseBindings(given)).toEqual([
    { language: 'typescript', folder: 'client/src/module_bindings', options: [] },
    {
      language: 'csharp',
      folder: 'tools/My Tool/bindings',
      options: ['--namespace', 'Game.Types', '--include-private']
    },
    { language: 'rust', folder: 'bot/src/bindings', options: [] },
    {
      language: 'unrealcpp',
      folder: 'client/unreal',
      options: ['--unreal-module-name', 'Game', '--module-prefix', 'Stdb'],
      unrealModule: 'Game'
    }
  ])
})

test('an Unreal project may be the whole workspace', () => {
  expect(parseBindings('unrealcpp:. --unreal-module-name Game')).toMatchObject([{ folder: '.', unrealModule: 'Game' }])
})

test('nothing is nothing', () => expect(parseBindings(' \n')).toEqual([]))

test.each<[string, RegExp]>([
  ['client/bindings', /`client\/bindings`: it is not `language:folder`/],
  ['typescript:', /not `language:folder`/],
  ['python:client', /`python` is no language/],
  ['constructor:client', /`constructor` is no language/],
  ['typescript:client --namespace X', /`--namespace` is for C# only/],
  ['typescript:client --lang rust', /Unknown option '--lang'/],
  ['typescript:client --include-private yes', /yes/],
  ['rust:client --unreal-module-name X', /Unreal only/],
  ['unrealcpp:client', /needs `--unreal-module-name`/],
  ['typescript:.', /whole workspace/],
  ['rust:./', /whole workspace/],
  ['cs:client/.. --namespace X', /whole workspace/],
  ['typescript:client\nts:client/', /two lines name this folder/]
])('%j is refused, with what is allowed', (given, message) => {
  expect(() => parseBindings(given)).toThrow(ConfigurationError)
  expect(() => parseBindings(given)).toThrow(message)
  expect(() => parseBindings(given)).toThrow(/Input `bindings`.*typescript:client\/src\/module_bindings/s)
})
