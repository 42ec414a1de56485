import { expect, test } from '@jest/globals'
import type { Clock } from '../../src/clock.ts'
import { type Health, type Service, waitForHealth } from '../../src/image/container.ts'
import type { Docker } from '../../src/image/docker.ts'

const healthy = { Status: 'healthy', Log: [] }

/** Waits for a container that is in one state, whose server answers so, for 10 s that take no time. */
function wait(Health: object | undefined, service: Service, signal?: AbortSignal): Promise<Health> {
  let now = 0
  const sleep = async (milliseconds: number) => {
    now += milliseconds
  }
  const clock: Clock = { now: () => now, random: () => 0, sleep }
  const stdout = JSON.stringify({ Status: 'running', ExitCode: 0, Health })
  const docker: Docker = {
    run: async () => ({ exitCode: 0, stdout, stderr: '' }),
    environment: {},
    folder: '/',
    signal
  }
  return waitForHealth(docker, 'trial', { ask: async () => service, clock, timeout: 10_000 })
}

test.each<{ readonly health: object | undefined; readonly service: Service; readonly ends: Health }>([
  { health: healthy, service: 'serves', ends: { kind: 'healthy' } },
  { health: undefined, service: 'serves', ends: { kind: 'healthy' } },
  {
    health: healthy,
    service: 'unreachable',
    ends: { kind: 'not-healthy', reason: expect.stringMatching(/127\.0\.0\.1.*`container:`.*DOCKER_HOST/) as never }
  },
  {
    health: undefined,
    service: 'unreachable',
    ends: { kind: 'not-healthy', reason: 'its server did not serve the database within 10 s' }
  },
  {
    health: healthy,
    service: 'serves-not',
    ends: { kind: 'not-healthy', reason: 'its server did not serve the database within 10 s' }
  },
  {
    health: { Status: 'starting' },
    service: 'serves',
    ends: { kind: 'not-healthy', reason: 'its health check did not pass within 10 s (it is `starting`)' }
  }
])('a container with $health whose server $service', async ({ health, service, ends }) => {
  expect(await wait(health, service)).toEqual(ends)
})

test('a cancellation says nothing about the image', async () => {
  expect(await wait(healthy, 'serves-not', AbortSignal.abort())).toEqual({ kind: 'cancelled' })
})
