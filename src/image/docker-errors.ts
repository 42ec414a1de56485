import { ConfigurationError } from '../errors.ts'

/** What docker was run for, as an error names it. */
export type Undertaking = {
  readonly kind: 'look' | 'log-in' | 'build' | 'push' | 'run'
  /** The registry that is pushed to or logged in to: `ghcr.io`. */
  readonly registry?: string | undefined
  /** The images' names, without tags. */
  readonly images?: readonly string[]
}

/**
 * What is to be done about what docker or buildx printed when it failed; `undefined` for what is not known. The texts are
 * those of the docker CLI, buildx, BuildKit and the registries, of the versions from 2020 on.
 */
export function explainDocker(said: string, undertaking: Undertaking): ConfigurationError | undefined {
  const heard = textsOf(said)
  const known = complaints.find(
    ({ kinds, text, whose = 'docker' }) => (kinds?.includes(undertaking.kind) ?? true) && text.test(heard[whose])
  )
  if (known === undefined) return undefined
  const line = lineWith(heard[known.whose ?? 'docker'], known.text)
  return new ConfigurationError(`${known.cure(undertaking, line)}\nDocker said: ${line}`)
}

/** Who says a text: any program, also one that a Dockerfile runs; docker, buildx and BuildKit; a registry, by way of their errors. */
type Speaker = 'any' | 'docker' | 'registry'

/**
 * What each of them said. A program that the Dockerfile runs can print anything, "access denied" too. Where it is what failed,
 * BuildKit's own error holds nothing but its command.
 */
function textsOf(said: string): Readonly<Record<Speaker, string>> {
  const own = said
    .replace(/^------\n > [\s\S]*?^------$/gm, '')
    .split('\n')
    .filter((line) => !/^(#\d+ |\d+\.\d+ |\s*\d+ \| )/.test(line))
  if (own.some((line) => /\bprocess .* did not complete|executor failed running/.test(line))) {
    return { any: said, docker: '', registry: '' }
  }
  const errors = own.filter((line) => /^(error|denied|unauthorized)\b/i.test(line))
  return { any: said, docker: own.join('\n'), registry: errors.join('\n') }
}

type Complaint = {
  readonly text: RegExp
  /** Docker without it. */
  readonly whose?: Speaker
  /** Those in which the text means this; any without them. */
  readonly kinds?: readonly Undertaking['kind'][]
  /** What is wrong and what to do; `line` is what docker said. */
  readonly cure: (undertaking: Undertaking, line: string) => string
}

const setUpBuildx =
  'Add the step `uses: docker/setup-buildx-action@v3` before this one, which makes a builder of the kind `docker-container`.'

/** The first that fits counts: what is special comes before what is general. */
const complaints: readonly Complaint[] = [
  {
    text: /permission denied while trying to connect to the docker (daemon socket|api)|dial unix \S*docker\S*: connect: permission denied/i,
    cure: () =>
      "This user may not use the Docker daemon's socket. Add the runner's user to the group `docker` and start the runner again, or run the job on a runner where it may."
  },
  {
    text: /cannot connect to the docker daemon|is the docker daemon running|failed to connect to the docker api|error during connect: .*(docker_engine|docker\.sock)/i,
    cure: () =>
      'No Docker daemon answers. Run the job on a runner with Docker, such as `ubuntu-latest` (macOS runners have none), start the daemon in an earlier step, or correct DOCKER_HOST.'
  },
  {
    text: /'?buildx'? is not a docker command|unknown command: docker buildx|docker: unknown command: buildx|unknown flag: --(platform|tag|metadata-file|progress|output|builder|format)\b(?=[\s\S]*docker --help)/i,
    cure: () => `The docker program has no buildx. ${setUpBuildx}`
  },
  {
    text: /unknown flag: --(metadata-file|build-context|provenance|sbom|annotation|attest|prefer-index)/i,
    cure: () => `This buildx is too old: it does not know one of its flags. ${setUpBuildx}`
  },
  {
    text: /multi-?platform(s)? (build|feature) is (currently )?not supported|multiple platforms feature is currently not supported/i,
    cure: () => `Docker's own builder can't build for several \`platforms\`. ${setUpBuildx}`
  },
  {
    text: /cache export (feature )?is (currently )?not supported/i,
    cure: () => `Docker's own builder can't keep a cache (\`cache-to\`). ${setUpBuildx} Or give \`cache-to: none\`.`
  },
  {
    text: /attestations? (are|is) not supported|(provenance|sbom|attestation)s? .*not supported .*docker driver|attestation is not supported for the docker driver/i,
    cure: () => `Docker's own builder can't make \`provenance\` or \`sbom\`. ${setUpBuildx} Or leave both inputs out.`
  },
  {
    text: /no space left on device/i,
    whose: 'any',
    cure: () =>
      'The disk is full. Free space in an earlier step (`docker system prune --all --force` removes what earlier jobs left), or use a larger runner.'
  },
  {
    text: /tag invalid: the image tag|cannot be overwritten because the (repository|tag) is immutable|tag is immutable|immutable tag|configured as immutable|(tag|manifest).*already exists.*(immutable|overwrit)/i,
    whose: 'registry',
    cure: () =>
      'The registry does not let this tag be moved: it is there already, and immutable. Give `tags` that are new with each release, or let this tag be overwritten in the settings of the registry.'
  },
  {
    text: /exec format error|\.buildkit_qemu_emulator/i,
    whose: 'any',
    cure: () =>
      "A program of another platform had to be run, and this machine can't. Add the step `uses: docker/setup-qemu-action@v3` before the one that sets up buildx, or give only this machine's own platform as `platforms`."
  },
  {
    text: /failed to solve: (secret [^\s:]+: not found|.*secret [^\s:]+ not found)|secret [^\s:]+ not found: not found|secret [^\s:]+: not found/i,
    kinds: ['build', 'push'],
    cure: (_, line) =>
      `The Dockerfile needs a build secret that was not given${secretIn(line)}. Give it as \`secrets\` (\`id=value\`), \`secret-envs\` or \`secret-files\`; the name before \`=\` must be the \`id\` in the Dockerfile.`
  },
  {
    text: /failed to resolve source metadata|failed to create LLB definition: .*not found|no match for platform in manifest/i,
    cure: (_, line) => baseImage(line)
  },
  {
    text: /permission_denied: (write_package|create_package)|installation not allowed to (create|write)|insufficient_scope|denied: permission_denied|permission_denied: the token provided does not match expected scopes/i,
    whose: 'registry',
    kinds: ['push'],
    cure: ({ registry, images }) => denied(registry, images)
  },
  {
    text: /no basic auth credentials|authorization required|unauthorized: authentication required|401 unauthorized|unauthenticated: user must be authenticated|denied: unauthenticated/i,
    whose: 'registry',
    kinds: ['push'],
    cure: ({ registry = 'the registry' }) =>
      `Nobody is logged in to ${registry}, or the login does not hold any more. Give \`username\` and \`password\`, or log in with \`docker/login-action\` before. For ghcr.io the job's token is taken by itself; it needs \`permissions: packages: write\`.`
  },
  {
    text: /\bdenied\b|403 forbidden|unexpected status: 403|access forbidden|not authorized/i,
    whose: 'registry',
    kinds: ['push'],
    cure: ({ registry, images }) => denied(registry, images)
  },
  {
    text: /\bdenied\b|unauthorized|incorrect username or password|401|403 forbidden|access forbidden/i,
    whose: 'registry',
    kinds: ['log-in'],
    cure: ({ registry = 'the registry' }) =>
      registry === 'ghcr.io'
        ? "ghcr.io does not accept this login. With the job's token the job needs `permissions: packages: write`; a token of your own is a classic one with the scope `write:packages`, and `username` its owner."
        : `${registry} does not accept this login. Correct \`username\` and \`password\`; most registries want an access token as the password, and that it may write.`
  },
  {
    text: /no such host|server misbehaving|connection refused|i\/o timeout|tls handshake timeout|x509:|http: server gave http response to https client/i,
    whose: 'registry',
    kinds: ['log-in', 'push'],
    cure: ({ registry = 'The registry' }) =>
      `${registry} could not be reached. Correct the host in \`image\` or \`registry\`; a registry without https has to be allowed in the settings of the daemon or the builder.`
  },
  {
    text: /pull access denied|repository does not exist or may require|manifest unknown|manifest for \S+ not found/i,
    kinds: ['build', 'look', 'run'],
    cure: (_, line) => baseImage(line)
  },
  {
    text: /failed to read dockerfile|unable to prepare context|the specified dockerfile|dockerfile: no such file or directory/i,
    cure: () =>
      'The Dockerfile or its context is not there. Correct the inputs `dockerfile` and `context`, which are paths in the workspace, and check out the repository before.'
  },
  {
    text: /target stage "?[^\s"]+"? could not be found/i,
    cure: () => 'The Dockerfile has no stage of the name in the input `target`. Correct it, or leave it out.'
  },
  {
    text: /no builder "?[^\s"]+"? found/i,
    cure: () => `There is no builder of the name in the input \`builder\`. Correct it, or leave it out. ${setUpBuildx}`
  }
]

function denied(registry = 'The registry', images: readonly string[] = []): string {
  const to = images.length === 0 ? registry : images.join(', ')
  if (registry === 'ghcr.io') {
    return `ghcr.io does not let this job push to ${to}. Give the job \`permissions: packages: write\`. If it has that: the package is there already and not linked to this repository; add the repository with the role Write under "Manage Actions access" in the settings of the package. A pull request from a fork may never push.`
  }
  return `${registry} does not let this user push to ${to}. Check the name, that its repository is there (some registries make none by themselves), and that the user or token may write to it.`
}

function baseImage(line: string): string {
  if (/no match for platform/i.test(line)) {
    return 'A base image is not there for one of the `platforms`. Leave that one out, or take a base image that has it.'
  }
  const name = /(?:source metadata for|LLB definition:) (\S+?):(?: |$)/.exec(line)?.[1]
  const image = name === undefined ? 'A base image' : `The base image ${name}`
  return `${image} is not there, or may not be read. Correct its name and tag (\`version\`, \`server-image\`, \`base-image\`, or FROM in the Dockerfile); for a private one log in with \`docker/login-action\` before.`
}

function secretIn(line: string): string {
  const name = /secret ([^\s:]+?):? not found/.exec(line)?.[1]
  return name === undefined ? '' : `: \`${name}\``
}

/** The last line that holds what was found, as short as an annotation should be. */
function lineWith(said: string, text: RegExp): string {
  const lines = said.split('\n').map((line) => line.trim())
  const found = lines.findLast((line) => text.test(line)) ?? lines.find((line) => line !== '') ?? ''
  return found.length <= 400 ? found : `${found.slice(0, 400)}…`
}
