import type { Build } from '../../src/image/buildx.ts'

/** A build that asks for nothing special. */
export const plainBuild: Build = {
  dockerfile: '/action/docker/Dockerfile',
  context: '/tmp/context',
  namedContexts: [],
  buildArgs: [],
  labels: [],
  secrets: [],
  cacheFrom: [],
  cacheTo: [],
  platforms: [],
  sourceDateEpoch: 1700000000,
  pull: false,
  noCache: false
}
