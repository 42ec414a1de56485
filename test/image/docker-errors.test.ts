import { describe, expect, test } from '@jest/globals'
import { ConfigurationError } from '../../src/errors.ts'
import { explainDocker, type Undertaking } from '../../src/image/docker-errors.ts'

const toGitHub: Undertaking = { kind: 'push', registry: 'ghcr.io', images: ['ghcr.io/octocat/game'] }
const toOther: Undertaking = { kind: 'push', registry: 'registry.example', images: ['registry.example/game'] }
const building: Undertaking = { kind: 'build' }
const looking: Undertaking = { kind: 'look' }

/** What docker, buildx, BuildKit and registries said to others, as they reported it. */
test.each<{ readonly said: string; readonly of: Undertaking; readonly says: readonly RegExp[] }>([
  {
    said: 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
    of: looking,
    says: [/No Docker daemon answers/, /ubuntu-latest/, /DOCKER_HOST/]
  },
  {
    said: 'failed to connect to the docker API at unix:///var/run/docker.sock; check if the path is correct and if the daemon is running: dial unix /var/run/docker.sock: connect: no such file or directory',
    of: looking,
    says: [/No Docker daemon answers/]
  },
  {
    said: 'error during connect: this error may indicate that the docker daemon is not running: Get "http://%2F%2F.%2Fpipe%2Fdocker_engine/v1.24/version": open //./pipe/docker_engine: The system cannot find the file specified.',
    of: looking,
    says: [/No Docker daemon answers/]
  },
  {
    said: 'permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: Head "http://%2Fvar%2Frun%2Fdocker.sock/_ping": dial unix /var/run/docker.sock: connect: permission denied',
    of: looking,
    says: [/may not use the Docker daemon's socket/, /group `docker`/]
  },
  {
    said: "docker: 'buildx' is not a docker command.\nSee 'docker --help'",
    of: looking,
    says: [/has no buildx/, /setup-buildx-action/]
  },
  {
    said: 'docker: unknown command: docker buildx\n\nRun "docker --help" for more information',
    of: looking,
    says: [/no buildx/]
  },
  { said: "unknown flag: --tag\nSee 'docker --help'.", of: building, says: [/has no buildx/] },
  {
    said: "unknown flag: --prefer-index\nSee 'docker buildx imagetools create --help'.",
    of: toGitHub,
    says: [/too old/]
  },
  {
    said: 'ERROR: Multi-platform build is not supported for the docker driver.\nSwitch to a different driver, or turn on the containerd image store, and try again.',
    of: building,
    says: [/several `platforms`/, /setup-buildx-action/]
  },
  {
    said: 'ERROR: multiple platforms feature is currently not supported for docker driver. Please switch to a different driver (eg. "docker buildx create --use")',
    of: building,
    says: [/several `platforms`/]
  },
  {
    said: 'ERROR: failed to build: Cache export is not supported for the docker driver.\nSwitch to a different driver, or turn on the containerd image store, and try again.',
    of: toGitHub,
    says: [/`cache-to`/, /setup-buildx-action/]
  },
  {
    said: 'ERROR: cache export feature is currently not supported for docker driver. Please switch to a different driver (eg. "docker buildx create --use")',
    of: toGitHub,
    says: [/`cache-to`/]
  },
  {
    said: 'ERROR: Attestation is not supported for the docker driver.\nSwitch to a different driver, or turn on the containerd image store, and try again.',
    of: toGitHub,
    says: [/`provenance`/]
  },
  {
    said: '#11 0.242 exec /bin/sh: exec format error\n------\nERROR: failed to solve: process "/bin/sh -c apt-get update" did not complete successfully: exit code: 1',
    of: building,
    says: [/setup-qemu-action/]
  },
  {
    said: 'ERROR: failed to solve: write /var/lib/buildkit/x: no space left on device',
    of: building,
    says: [/disk is full/, /prune/]
  },
  {
    said: 'ERROR: denied: permission_denied: write_package',
    of: toGitHub,
    says: [/`permissions: packages: write`/, /ghcr\.io\/octocat\/game/, /Manage Actions access/]
  },
  { said: 'denied: installation not allowed to Create organization package', of: toGitHub, says: [/packages: write/] },
  {
    said: 'ERROR: failed to solve: failed to push ghcr.io/octocat/game:latest: unexpected status from HEAD request to https://ghcr.io/v2/octocat/game/blobs/sha256:f698428706820e407a258fef7b91e82cecfa28636a487094468a8ee12ce15b7b: 403 Forbidden',
    of: toGitHub,
    says: [/packages: write/]
  },
  {
    said: 'ERROR: failed to push registry.example/game:1: denied: requested access to the resource is denied',
    of: toOther,
    says: [/registry\.example does not let this user push/]
  },
  {
    said: 'ERROR: failed to solve: failed to push registry.example/game:1: push access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials',
    of: toOther,
    says: [/Nobody is logged in to registry\.example/, /`username` and `password`/]
  },
  {
    said: "ERROR: tag invalid: The image tag '1.2.3' already exists in the 'game' repository and cannot be overwritten because the repository is immutable.",
    of: toOther,
    says: [/immutable/, /`tags` that are new/]
  },
  {
    said: 'Error response from daemon: Get "https://ghcr.io/v2/": denied: denied',
    of: { kind: 'log-in', registry: 'ghcr.io' },
    says: [/does not accept this login/, /packages: write/]
  },
  {
    said: 'Error response from daemon: Get "https://registry-1.docker.io/v2/": unauthorized: incorrect username or password',
    of: { kind: 'log-in', registry: 'docker.io' },
    says: [/docker\.io does not accept this login/, /`username` and `password`/]
  },
  {
    said: 'Error response from daemon: Get "https://nowhere.example/v2/": dial tcp: lookup nowhere.example: no such host',
    of: { kind: 'log-in', registry: 'nowhere.example' },
    says: [/nowhere\.example could not be reached/]
  },
  {
    said: 'ERROR: failed to solve: clockworklabs/spacetime:v9.9.9: failed to resolve source metadata for docker.io/clockworklabs/spacetime:v9.9.9: docker.io/clockworklabs/spacetime:v9.9.9: not found',
    of: building,
    says: [/base image docker\.io\/clockworklabs\/spacetime:v9\.9\.9 is not there/, /`version`/]
  },
  {
    said: 'ERROR: failed to build: failed to solve: rpc error: code = Unknown desc = failed to solve with frontend dockerfile.v0: failed to create LLB definition: 127.0.0.1:35131/none:1: not found',
    of: toOther,
    says: [/base image 127\.0\.0\.1:35131\/none:1 is not there/]
  },
  {
    said: 'ERROR: failed to solve: private/base: failed to resolve source metadata for docker.io/private/base:latest: pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed',
    of: toGitHub,
    says: [/base image docker\.io\/private\/base:latest/, /docker\/login-action/]
  },
  {
    said: 'ERROR: failed to solve: debian:12: failed to resolve source metadata for docker.io/library/debian:12: no match for platform in manifest: not found',
    of: building,
    says: [/one of the `platforms`/]
  },
  {
    said: 'ERROR: failed to solve: secret npm_token: not found',
    of: building,
    says: [/build secret/, /`npm_token`/, /`secrets`/]
  },
  { said: 'ERROR: failed to solve: secret keyfile not found: not found', of: toGitHub, says: [/`keyfile`/] },
  {
    said: 'ERROR: failed to solve: failed to read dockerfile: open Dockerfile: no such file or directory',
    of: building,
    says: [/`dockerfile` and `context`/]
  },
  { said: 'ERROR: failed to solve: target stage "prod" could not be found', of: building, says: [/`target`/] },
  { said: 'ERROR: no builder "mine" found', of: looking, says: [/`builder`/] }
])('$said', ({ said, of, says }) => {
  const explained = explainDocker(`#1 [internal] load build definition\n${said}\n`, of)
  expect(explained).toBeInstanceOf(ConfigurationError)
  for (const part of says) expect(explained?.message).toMatch(part)
  expect(explained?.message).toContain('Docker said: ')
})

test.each([
  'ERROR: failed to solve: process "/bin/sh -c cargo build" did not complete successfully: exit code: 101',
  'error: could not compile `game`',
  ''
])('what is not known is left as it is: %s', (said) => {
  expect(explainDocker(said, building)).toBeUndefined()
})

/** What `docker buildx build --push --progress=plain` prints of a Dockerfile whose RUN fails. */
function failedRun(...printed: readonly string[]): string {
  return [
    ...printed.map((line, index) => `#9 0.${100 + index} ${line}`),
    '#9 ERROR: process "/bin/sh -c ./x.sh # or access denied" did not complete successfully: exit code: 1',
    '------',
    ' > [2/2] RUN ./x.sh # or access denied:',
    ...printed.map((line, index) => `0.${100 + index} ${line}`),
    '------',
    'Dockerfile:2',
    '--------------------',
    '   2 | >>> RUN ./x.sh # or access denied',
    '--------------------',
    'ERROR: failed to build: failed to solve: process "/bin/sh -c ./x.sh # or access denied" did not complete successfully: exit code: 1'
  ].join('\n')
}

describe('what a program of the Dockerfile prints is not what the registry says', () => {
  test.each([
    ['/bin/sh: ./x.sh: Permission denied'],
    ['npm error code ECONNREFUSED', 'npm error connect ECONNREFUSED 127.0.0.1:4873', 'connection refused'],
    ['warning: access denied to the cache, going on without', 'error: could not compile `game`'],
    ['ERROR: denied: permission_denied: write_package'],
    ['Cannot connect to the Docker daemon. Is the docker daemon running?']
  ])('when it fails: %s', (...printed) => {
    expect(explainDocker(failedRun(...printed), toGitHub)).toBeUndefined()
    expect(explainDocker(failedRun(...printed), toOther)).toBeUndefined()
  })

  test('when the push fails for another reason', () => {
    const said = '#9 0.1 error: access denied\n#9 DONE 0.1s\nERROR: failed to solve: unexpected EOF'
    expect(explainDocker(said, toGitHub)).toBeUndefined()
  })

  test('but a full disk is one wherever it is met', () => {
    expect(explainDocker(failedRun('write /x: no space left on device'), toGitHub)?.message).toMatch(/disk is full/)
  })
})
