import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { z } from 'zod'
import { choice, duration, flag, matching, text } from '../../src/action/input-types.ts'
import { readInputs } from '../../src/action/inputs.ts'
import { defineAction } from '../../src/action/spec.ts'
import { ConfigurationError } from '../../src/errors.ts'

const spec = defineAction({
  name: 'try-out',
  title: 'Try out',
  description: 'Shows what inputs can be.',
  branding: { icon: 'box', color: 'gray-dark' },
  permissions: [],
  inputs: {
    server: { description: 'A server.', schema: text('a URL'), required: true },
    'data-base': { description: 'A name.', schema: matching(/^[a-z]+$/, 'lower-case letters') },
    token: { description: 'A secret.', schema: matching(/^\w+$/, 'a token'), secret: true },
    auth: { description: 'How.', schema: choice('oidc') },
    'dry-run': { description: 'Whether.', schema: flag(), default: 'false' },
    'time-out': { description: 'How long.', schema: duration({ min: 1_000, max: 60_000 }), default: '30s' },
    mode: { description: 'Which.', schema: choice('fast', 'safe'), default: 'safe' }
  },
  outputs: {},
  rules: [
    {
      about: ['token', 'auth'],
      holds: ({ token, auth }) => token === undefined || auth === undefined,
      message: 'Give `token` or `auth`, not both.'
    }
  ]
})

/** What the runner sets for these inputs. */
function given(inputs: Readonly<Record<string, string>>) {
  return Object.fromEntries(Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]))
}

function read(inputs: Readonly<Record<string, string>>) {
  return readInputs(spec, given({ server: 'local', ...inputs }))
}

function complaint(inputs: Readonly<Record<string, string>>): string {
  try {
    readInputs(spec, given(inputs))
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message
    throw error
  }
  throw new Error('nothing was wrong')
}

describe('inputs that are right', () => {
  test('are trimmed, parsed, and named in camelCase', () => {
    const inputs = read({ 'data-base': ' game\n', 'dry-run': 'TRUE', 'time-out': '2s' })
    expect(inputs).toMatchObject({ server: 'local', dataBase: 'game', dryRun: true, timeOut: 2_000 })
  })

  test('have their types', () => {
    const { server, dataBase, dryRun, timeOut, mode } = read({})
    const typed: [string, string | undefined, boolean, number, 'fast' | 'safe'] = [
      server,
      dataBase,
      dryRun,
      timeOut,
      mode
    ]
    expect(typed).toEqual(['local', undefined, false, 30_000, 'safe'])
  })

  test.each(['', ' ', '\n'])('%j is the same as nothing', (nothing) => {
    expect(read({ 'data-base': nothing, mode: nothing, 'dry-run': nothing })).toEqual(read({}))
  })

  test.each([
    ['true', true],
    ['True', true],
    ['TRUE', true],
    ['false', false],
    ['False', false],
    ['FALSE', false]
  ])('the boolean %s', (word, value) => {
    expect(read({ 'dry-run': word }).dryRun).toBe(value)
  })

  test.each([
    ['1000ms', 1_000],
    ['1.5s', 1_500],
    ['30 s', 30_000],
    ['1m', 60_000]
  ])('the duration %s', (word, value) => {
    expect(read({ 'time-out': word }).timeOut).toBe(value)
  })
})

describe('inputs that are wrong', () => {
  test.each([
    ['dry-run', 'yes', 'Input `dry-run` is `yes`; allowed is `true` or `false`.'],
    ['mode', 'Fast', 'Input `mode` is `Fast`; allowed is `fast` or `safe`.'],
    ['data-base', 'My Game', 'Input `data-base` is `My Game`; allowed is lower-case letters.'],
    ['time-out', '30', 'Input `time-out` is `30`; allowed is a time with its unit'],
    ['time-out', '0s', 'from `1s` to `1m`'],
    ['time-out', '2h', 'from `1s` to `1m`'],
    ['time-out', '-1s', 'from `1s` to `1m`'],
    ['time-out', '30s; rm -rf /', 'from `1s` to `1m`']
  ])('%s: %s', (name, value, expected) => {
    expect(complaint({ server: 'local', [name]: value })).toContain(expected)
  })

  test('say which default they have', () => {
    expect(complaint({ server: 'local', mode: 'x' })).toContain('leave it out for the default `safe`')
  })

  test('are missing though the runner let it pass', () => {
    expect(complaint({})).toBe('Input `server` is missing: give a URL under `with:`.')
  })

  test('are told all at once', () => {
    const message = complaint({ mode: 'x', 'dry-run': 'y', auth: 'oidc', token: 'a' })
    expect(message.split('\n- ')).toEqual([
      '4 inputs are wrong:',
      expect.stringContaining('`server`'),
      expect.stringContaining('`dry-run`'),
      expect.stringContaining('`mode`'),
      'Give `token` or `auth`, not both.'
    ])
  })

  test('leave a rule about them unasked', () => {
    expect(complaint({ server: 'local', auth: 'no', token: 'a' })).not.toContain('not both')
  })

  test('are not shown when they are secret', () => {
    const message = complaint({ server: 'local', token: 'hush-hush' })
    expect(message).not.toContain('hush')
    expect(message).toContain('`token`')
  })

  test('are shown in part when they are long, on one line', () => {
    const message = complaint({ server: 'local', mode: `${'x'.repeat(5_000)}\n${'y'.repeat(5_000)}` })
    expect(message.length).toBeLessThan(400)
    expect(message).not.toContain('\n')
  })

  test('are a ConfigurationError, or nothing: no text makes anything else of them', () => {
    const texts = fc.record({ mode: fc.string(), token: fc.string(), 'time-out': fc.string(), 'dry-run': fc.string() })
    fc.assert(
      fc.property(texts, (inputs) => {
        try {
          expect(read(inputs).timeOut).toBeGreaterThanOrEqual(1_000)
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigurationError)
        }
      })
    )
  })
})

describe('a spec that is wrong', () => {
  const good = {
    name: 'x',
    title: '',
    description: '',
    branding: { icon: '', color: '' },
    permissions: [],
    outputs: {}
  }

  test.each([
    ['a name that is not in kebab-case', { camelCase: { description: '', schema: text() } }, 'kebab-case'],
    ['a schema that does not say what is allowed', { a: { description: '', schema: z.string() } }, 'describe'],
    ['a default that is not allowed', { a: { description: '', schema: flag(), default: 'yes' } }, 'default']
  ])('has %s', (_, inputs, expected) => {
    expect(() => defineAction({ ...good, inputs })).toThrow(expected)
  })
})
