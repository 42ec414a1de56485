import { expect, test } from '@jest/globals'
import { spec } from '../../actions/promote/spec.ts'
import { readInputs } from '../../src/action/inputs.ts'

function read(inputs: Readonly<Record<string, string>>) {
  const usual = {
    server: 'local',
    token: 'a.b.c',
    'from-server': 'local',
    'from-database': 'staging-game',
    database: 'a'
  }
  const given = Object.entries({ ...usual, ...inputs }).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])
  return readInputs(spec, Object.fromEntries(given))
}

test.each<Readonly<Record<string, string>>>([
  {},
  { 'from-server': '', 'from-database': '', 'from-environment': 'staging' },
  { 'from-token': 'd.e.f', 'module-hash': 'C0FFEE00'.repeat(8) },
  { database: '', databases: 'game-canary, game-*', environment: 'production', 'max-parallel': '50' },
  { database: '', databases: 'a\nb', ledger: 'none', 'stop-on-failure': 'canary' }
])('%j is taken', (inputs) => {
  expect(() => read(inputs)).not.toThrow()
})

test.each<{ readonly inputs: Readonly<Record<string, string>>; readonly says: RegExp }>([
  { inputs: { database: '' }, says: /Give either the input `database` or `databases`/ },
  { inputs: { databases: 'b', ledger: 'none' }, says: /Give either the input `database` or `databases`/ },
  { inputs: { 'from-server': '', 'from-database': '' }, says: /Say where the module comes from/ },
  { inputs: { 'from-database': '', 'from-environment': 'x' }, says: /goes with `from-database`/ },
  { inputs: { 'from-server': '', 'from-token': 'x' }, says: /`from-token` goes with/ },
  { inputs: { database: '', databases: 'a,b' }, says: /give `environment` too.*`ledger: none`/ },
  { inputs: { 'stop-on-failure': 'yes' }, says: /`true` or `canary` or `false`/ },
  { inputs: { 'module-hash': 'c0ffee' }, says: /`module-hash` is `c0ffee`.*64 hex digits/ },
  { inputs: { 'max-parallel': '500' }, says: /from `1` to `50`/ }
])('$inputs is refused', ({ inputs, says }) => {
  expect(() => read(inputs)).toThrow(says)
})
