import { afterAll, expect, test } from '@jest/globals'
import { startStage } from '../runner/stage.ts'
import { type Journey, journeys, travel } from './journeys.ts'

const [update] = journeys as [Journey]
const stage = await startStage()

afterAll(() => stage.server.close())

test.concurrent.each([
  ['the health check', { path: /call\/health_check/ }, 530],
  ['the plan', { path: /pre_publish/ }, 400],
  ['the publish', { method: 'PUT' }, 400]
])(
  'a token that an answer to %s brings, and repeats in its text, is masked and shown nowhere',
  async (_, match, status) => {
    // Made anew, so that it stands in no other place; the form is that of a token.
    const token = [{ alg: 'ES256' }, { sub: crypto.randomUUID() }, { signature: crypto.randomUUID() }]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.')
    const headers = { 'content-type': 'text/plain', 'spacetime-identity': '00', 'spacetime-identity-token': token }
    const fault = { kind: 'answer', status, headers, body: `not for the bearer of ${token}` } as const
    // That the token shows up nowhere is what the runner checks.
    const { main } = await travel(stage, update, [{ match, fault }], { secrets: () => [token] })
    expect(main.exitCode).toBe(1)
    expect(main.commands).toContainEqual({ name: 'add-mask', properties: {}, message: token })
    expect(main.summary).toContain('not for the bearer of')
  }
)
