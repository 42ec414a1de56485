import { afterEach, expect, test } from '@jest/globals'
import { allSecrets, inputsAndState, withoutVariables } from '../../src/action/hidden-variables.ts'

afterEach(() => {
  for (const name of ['INPUT_TOKEN', 'STATE_x', 'ACTIONS_RUNTIME_TOKEN']) delete process.env[name]
})

test.each([
  [inputsAndState, [undefined, undefined, 'three']],
  [allSecrets, [undefined, undefined, undefined]]
])('%s are hidden while something works, and there again afterwards, whatever came of it', async (hidden, seen) => {
  Object.assign(process.env, { INPUT_TOKEN: 'one', STATE_x: 'two', ACTIONS_RUNTIME_TOKEN: 'three' })
  const read = () => [process.env.INPUT_TOKEN, process.env.STATE_x, process.env.ACTIONS_RUNTIME_TOKEN]
  const work = withoutVariables(hidden, async () => {
    expect(read()).toEqual(seen)
    expect(process.env.PATH).not.toBeUndefined()
    throw new Error('broken')
  })
  await expect(work).rejects.toThrow('broken')
  expect(read()).toEqual(['one', 'two', 'three'])
})
