import { expect, test } from '@jest/globals'
import { spec } from '../../actions/deploy/spec.ts'
import { readInputs } from '../../src/action/inputs.ts'

const usual = { server: 'local', database: 'game', token: 'a.b.c' }
const digest = `sha256:${'0'.repeat(64)}`

function read(inputs: Readonly<Record<string, string>>) {
  const given = Object.entries({ ...usual, ...inputs }).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])
  return readInputs(spec, Object.fromEntries(given))
}

test.each<Readonly<Record<string, string>>>([
  {},
  { path: 'server' },
  { module: 'game.wasm' },
  { artifact: 'module' },
  { 'from-image': `ghcr.io/owner/game@${digest}`, username: 'ada', password: 'secret' },
  { server: '', database: '', environment: 'production' },
  { 'publish-image': 'true', tags: 'type=sha', version: '2.8.3' },
  { rehearse: 'live', seed: 'seed.yml', 'releases-url': 'https://mirror.example.org/stdb' }
])('%j is taken', (inputs) => {
  expect(() => read(inputs)).not.toThrow()
})

test.each<{ readonly inputs: Readonly<Record<string, string>>; readonly says: RegExp }>([
  { inputs: { server: '' }, says: /`server` is missing.*`environment`/ },
  { inputs: { database: '' }, says: /`database` is missing.*`environment`/ },
  { inputs: { path: '.', module: 'game.wasm' }, says: /Give one module/ },
  { inputs: { artifact: 'module', 'from-image': 'ghcr.io/owner/game' }, says: /Give one module/ },
  { inputs: { 'from-image': 'ghcr.io/owner/game', 'publish-image': 'true' }, says: /in a registry already/ },
  { inputs: { seed: 'seed.yml' }, says: /`rehearse: live`/ },
  { inputs: { tags: 'type=sha' }, says: /`publish-image`/ },
  { inputs: { username: 'ada', password: 'secret' }, says: /registry.*`token`/ },
  { inputs: { rehearse: 'base' }, says: /`live` or `none`/ },
  { inputs: { 'publish-image': 'true', version: '2.x' }, says: /`auto` or a version/ },
  { inputs: { 'on-drift': 'ignore' }, says: /`fail` or `adopt`/ }
])('$inputs is refused', ({ inputs, says }) => {
  expect(() => read(inputs)).toThrow(says)
})
