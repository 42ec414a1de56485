import { expect, test } from '@jest/globals'
import type { Plan } from '../../../actions/image-plan.ts'
import { pushModuleArtifact } from '../../../actions/module-artifact.ts'
import { parseReference } from '../../../src/image/oci/reference.ts'
import { quietLog } from '../../quiet-log.ts'
import { registryUser } from '../../stand-ins/registry.ts'
import { module, registries } from './registries.ts'

quietLog()

const start = registries()

test('the tag of a module is never moved, since each commit has its own', async () => {
  const { server } = await start({ login: 'bearer' }, registryUser)
  const name = `${server.host}/octocat/game`
  const image = { ...parseReference(name), name }
  const push = (commit: string) => {
    const plan: Plan = {
      images: [image],
      tags: ['main'],
      names: [`${name}:main`],
      labels: [],
      push: true,
      time: 1700000000,
      source: undefined,
      commit
    }
    return pushModuleArtifact(
      { module, path: 'module.wasm', manifest: undefined },
      plan,
      registryUser,
      new AbortController().signal
    )
  }
  const [first, second, again] = [await push('a'.repeat(40)), await push('b'.repeat(40)), await push('a'.repeat(40))]
  expect(second.digest).not.toBe(first.digest)
  expect(again.digest).toBe(first.digest)
  const puts = server.seen.registry.filter(({ method, path }) => method === 'PUT' && path.includes('/manifests/'))
  const tagOf = (digest: string) => `module-${digest.slice(7, 19)}`
  expect(puts.map(({ path }) => path.split('/').at(-1))).toEqual([tagOf(first.digest), tagOf(second.digest)])
})
