import { afterAll, describe, expect, test } from '@jest/globals'
import { type Deployed, hashOf, startStage } from '../runner/stage.ts'
import { type Journey, journeys, placesOf, travel } from './journeys.ts'
import type { Rule } from './proxy.ts'

/** A server that does not come back is waited for as long as it may take to restart: minutes, with the post step. */
const timeout = 400_000
const options = { deadline: 200_000, inputs: { 'health-timeout': '2s' } }

const [update] = journeys as [Journey]
const stage = await startStage()
const places = placesOf((await travel(stage, update)).requests)
const publish = places.findIndex(({ match }) => match.method === 'PUT')

afterAll(() => stage.server.close())

const errorsOf = ({ main }: Deployed) => main.annotations.filter(({ level }) => level === 'error')

/** Deploys to a server that can't be reached any more from the moment at which it has answered some request. */
const loseAfter = (match: Rule['match'], fault?: Rule['fault']) =>
  travel(stage, update, (proxy) => [{ match, answered: () => proxy.goDown(), ...(fault && { fault }) }], options)

describe('the server is gone for good', () => {
  test.concurrent.each(places.slice(0, publish))(
    'after $title: the deploy failed, and nothing was changed',
    async ({ match }) => {
      const travelled = await loseAfter(match)
      expect(travelled.main).toMatchObject({ exitCode: 1, outputs: { result: 'failed' } })
      expect(errorsOf(travelled)).toHaveLength(1)
      expect(travelled.live).toBe(hashOf('counter'))
    },
    timeout
  )

  test.concurrent.each(places.slice(publish))(
    'after $title: nobody can tell what is live, and the job says so',
    async ({ match, title }) => {
      const travelled = await loseAfter(match)
      const isOver = title.includes('health_check')
      expect(travelled.main).toMatchObject({
        exitCode: isOver ? 0 : 1,
        outputs: { result: isOver ? 'updated' : 'unknown' }
      })
      expect(errorsOf(travelled)).toHaveLength(isOver ? 0 : 1)
      // That nobody knows what became of the publish is said once; a rollback that is not done is said again.
      const isSaid = isOver || title.startsWith('PUT')
      expect(travelled.post.exitCode).toBe(isSaid ? 0 : 1)
      expect(travelled.live).toBe(hashOf('counter-additive'))
    },
    timeout
  )

  test.concurrent(
    'with the answer of the publish: nobody can tell what is live, and running the job again settles it',
    async () => {
      const travelled = await loseAfter({ method: 'PUT' }, { kind: 'reset-after' })
      expect(travelled.main).toMatchObject({ exitCode: 1, outputs: { result: 'unknown' } })
      expect(travelled.main.summary).toContain(travelled.database)
      const again = await stage.deploy({ database: travelled.database, module: update.module })
      expect(again.main).toMatchObject({ exitCode: 0, outputs: { result: 'unchanged' } })
    },
    timeout
  )
})
