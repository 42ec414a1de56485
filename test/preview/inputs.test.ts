import { expect, test } from '@jest/globals'
import { spec } from '../../actions/preview/spec.ts'
import { readInputs } from '../../src/action/inputs.ts'

function read(inputs: Readonly<Record<string, string>>) {
  const usual = { server: 'local', prefix: 'game', token: 'a.b.c' }
  const given = Object.entries({ ...usual, ...inputs }).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])
  return readInputs(spec, Object.fromEntries(given))
}

test.each<Readonly<Record<string, string>>>([
  {},
  { module: 'game.wasm', seed: 'seed.yml', checks: 'checks.yml', 'report-folder': 'reports' },
  { mode: 'cleanup', 'max-age': '336h', 'dry-run': 'true' },
  { token: '', auth: 'oidc' }
])('%j is taken', (inputs) => {
  expect(() => read(inputs)).not.toThrow()
})

test.each<{ readonly inputs: Readonly<Record<string, string>>; readonly says: RegExp }>([
  { inputs: { prefix: 'Feature/x' }, says: /`prefix` is `Feature\/x`; allowed is/ },
  { inputs: { module: 'game.wasm', artifact: 'module' }, says: /Give one module/ },
  { inputs: { auth: 'oidc' }, says: /Give one credential/ },
  { inputs: { remake: 'true' }, says: /`needed` or `always` or `never`/ },
  { inputs: { 'max-age': '30m' }, says: /`max-age`/ },
  { inputs: { 'report-folder': 'reports' }, says: /go with `checks` or `inline-checks` only/ }
])('$inputs is refused', ({ inputs, says }) => {
  expect(() => read(inputs)).toThrow(says)
})
