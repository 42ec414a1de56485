import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { z } from 'zod'
import { differencesTo, objections } from '../../scripts/release/compatibility.ts'
import { type Interface, interfaceOf } from '../../scripts/release/interface.ts'
import { lastRelease, writeLastRelease } from '../../scripts/release/last-release.ts'
import { actionSpecs } from '../../scripts/repository.ts'
import { choice, text } from '../../src/action/input-types.ts'
import { type ActionSpec, defineAction } from '../../src/action/spec.ts'

const root = resolve(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'interface-'))

afterAll(() => rmSync(folder, { recursive: true }))

const spec: ActionSpec = defineAction({
  name: 'try-out',
  title: 'Try out',
  description: 'Tries.',
  branding: { icon: 'box', color: 'blue' },
  permissions: [
    { name: 'contents', access: 'read', when: 'always' },
    { name: 'packages', access: 'write', when: 'always' }
  ],
  inputs: {
    place: { description: 'Where.', schema: text(), required: true },
    mode: { description: 'How.', schema: choice('one', 'two'), default: 'one' },
    password: { description: 'What.', schema: text('a password'), secret: true }
  },
  outputs: { result: { description: 'What came.', values: ['done', 'failed'] }, file: { description: 'A file.' } }
})
const { inputs, outputs, permissions } = spec
const { place, mode, password } = inputs as Required<typeof inputs> &
  Record<'place' | 'mode' | 'password', (typeof inputs)[string]>

function interfaceWith(changes: Partial<ActionSpec>, version = '1.1.0'): Interface {
  return interfaceOf([{ ...spec, ...changes }], version)
}

const before = interfaceWith({}, '1.0.0')

describe('what is different to the last release', () => {
  test.each<[string, Partial<ActionSpec>]>([
    ['nothing', {}],
    ['an input more', { inputs: { ...inputs, more: { description: 'More.', schema: text() } } }],
    ['an input that is required no more', { inputs: { ...inputs, place: { ...place, required: false } } }],
    ['a value more', { inputs: { ...inputs, mode: { ...mode, schema: choice('one', 'two', 'three') } } }],
    ['another description', { inputs: { ...inputs, mode: { ...mode, description: 'In which way.' } } }],
    ['an input that is masked now', { inputs: { ...inputs, place: { ...place, secret: true } } }],
    ['an output more', { outputs: { ...outputs, more: { description: 'More.' } } }],
    [
      'an output that is one of a few now',
      { outputs: { ...outputs, file: { description: 'A file.', values: ['a'] } } }
    ],
    ['a permission less', { permissions: permissions.slice(1) }],
    ['a permission to read only', { permissions: permissions.map((each) => ({ ...each, access: 'read' })) }]
  ])('does not matter: %s', (_, changes) => {
    expect(differencesTo(before, interfaceWith(changes))).toEqual([])
  })

  test.each<[string, Partial<ActionSpec>]>([
    ['the action try-out is gone', { name: 'other' }],
    ['try-out: the input password is gone', { inputs: { place, mode } }],
    ['try-out: the new input more is required', { inputs: { ...inputs, more: { ...place, description: 'More.' } } }],
    ['try-out: the input mode is required now', { inputs: { ...inputs, mode: { ...mode, required: true } } }],
    [
      'try-out: the input mode is "two" by default, and was "one"',
      { inputs: { ...inputs, mode: { ...mode, default: 'two' } } }
    ],
    [
      'try-out: the input place is "x" by default, and was nothing',
      { inputs: { ...inputs, place: { ...place, default: 'x' } } }
    ],
    [
      'try-out: the input password is not masked any more',
      { inputs: { ...inputs, password: { ...password, secret: false } } }
    ],
    [
      'try-out: the input mode does not allow two any more',
      { inputs: { ...inputs, mode: { ...mode, schema: choice('one') } } }
    ],
    ['try-out: the output file is gone', { outputs: { result: outputs.result ?? { description: '' } } }],
    [
      'try-out: the output result is never failed any more',
      { outputs: { ...outputs, result: { description: '', values: ['done'] } } }
    ],
    [
      'try-out: the output result is not one of done, failed any more',
      { outputs: { ...outputs, result: { description: '' } } }
    ],
    [
      'try-out: it needs the permission contents: write, and did with read',
      { permissions: permissions.map((each) => ({ ...each, access: 'write' })) }
    ]
  ])('breaks workflows: %s', (what, changes) => {
    const now = interfaceWith(changes)
    expect(differencesTo(before, now)).toEqual([{ kind: 'breaks', what }])
    expect(objections(before, now, [])).toEqual([expect.stringContaining('needs a new major version')])
    expect(objections(before, now, [{ change: what, why: 'It is to be.' }])).not.toEqual([])
    expect(objections(before, { ...now, version: '2.0.0' }, [])).toEqual([])
  })

  test.each<[string, Partial<ActionSpec>]>([
    [
      'try-out: the input place allows a name, and did any text',
      { inputs: { ...inputs, place: { ...place, schema: text('a name') } } }
    ],
    [
      'try-out: the input mode allows any, and did `one` or `two`',
      { inputs: { ...inputs, mode: { ...mode, schema: z.string().describe('any') } } }
    ],
    [
      'try-out: the output result may be kept too',
      { outputs: { ...outputs, result: { description: '', values: ['done', 'failed', 'kept'] } } }
    ],
    [
      'try-out: it uses the permission id-token: write',
      { permissions: [...permissions, { name: 'id-token', access: 'write', when: 'sometimes' }] }
    ]
  ])('has to be judged: %s', (what, changes) => {
    const now = interfaceWith(changes)
    expect(differencesTo(before, now)).toEqual([{ kind: 'changed', what }])
    expect(objections(before, now, [])).toEqual([expect.stringContaining('accepted-changes.json')])
    expect(objections(before, now, [{ change: what, why: 'All that was allowed is.' }])).toEqual([])
  })

  test('is not accepted in advance', () => {
    expect(objections(before, interfaceWith({}), [{ change: 'try-out: it may', why: '?' }])).toEqual([
      'accepted-changes.json accepts what did not happen: try-out: it may'
    ])
  })
})

describe('the check', () => {
  function check() {
    const args = ['--import', 'tsx', 'scripts/check-interface.ts', '--folder', folder]
    return spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  }

  test('says so when there is nothing to compare with', () => {
    expect(check()).toMatchObject({ status: 0, stdout: expect.stringContaining('No version was released yet') })
  })

  test('passes with the actions as they are, and fails when an input of theirs is gone', async () => {
    const released = interfaceOf(await actionSpecs(), '0.1.0')
    writeLastRelease(released, folder)
    expect(lastRelease(folder)).toEqual({ released, accepted: [] })
    expect(check()).toMatchObject({ status: 0, stderr: '' })

    const { deploy } = released.actions
    const more = { ...deploy, inputs: { ...deploy?.inputs, gone: deploy?.inputs.server } }
    writeFileSync(join(folder, 'last-release.json'), JSON.stringify({ ...released, actions: { deploy: more } }))
    expect(check()).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^deploy: the input gone is gone: .*major version\n$/)
    })
  })
})
