import { ConfigurationError } from '../../errors.ts'

/** The digest of content in a registry: `sha256:` and 64 lower-case hex digits. */
export type Digest = string & { readonly brand: 'Digest' }

/** Where something lies in a registry. With a digest, that alone says which it is. */
export type Reference = {
  /** With its port, where one is given; Docker Hub is `docker.io`. */
  readonly host: string
  /** `owner/name`. */
  readonly repository: string
  readonly tag?: string
  readonly digest?: Digest
}

/**
 * Reads `host/repository[:tag][@sha256:…]`; without a host it is Docker Hub's, as `docker` understands it
 * (https://github.com/distribution/reference/blob/main/reference.go). Throws a `ConfigurationError` that says what is wrong with
 * it. `origin` names where the text comes from, such as "The input `image`".
 */
export function parseReference(text: string, origin = 'The reference'): Reference {
  const wrong = (problem: string) => new ConfigurationError(`${origin}${quoted(text)} ${problem}`)
  if (text === '') throw wrong(`is empty. ${form}`)
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) throw wrong(`has a scheme. Leave out what comes before the host. ${form}`)
  if (/[\s\p{Cc}]/u.test(text)) throw wrong(`has a space or a line break in it. ${form}`)
  if (/^[^/]*@.*\//.test(text)) {
    throw wrong('has a user name or password in it. Remove it: they go into the inputs `username` and `password`.')
  }
  const [named = '', digest, ...more] = text.split('@')
  if (more.length > 0) throw wrong(`has more than one @. ${form}`)
  const { host, path } = splitHost(named)
  const [repository = '', tag, ...others] = path.split(':')
  if (others.length > 0) throw wrong(`has more than one tag. ${form}`)
  const problem = hostProblem(host) ?? repositoryProblem(host, repository) ?? tagProblem(tag) ?? digestProblem(digest)
  if (problem !== undefined) throw wrong(problem)
  return {
    host,
    repository,
    ...(tag !== undefined && { tag }),
    ...(digest !== undefined && { digest: digest as Digest })
  }
}

/** The text of a reference, which `parseReference` reads. */
export function formatReference({ host, repository, tag, digest }: Reference): string {
  return `${host}/${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`
}

/** Throws a `ConfigurationError` for what can't be a tag. */
export function insistOnTag(tag: string): void {
  const problem = tagProblem(tag)
  if (problem !== undefined) throw new ConfigurationError(`The tag "${tag.slice(0, 200)}" ${problem}`)
}

export function isDigest(text: string): text is Digest {
  return /^sha256:[0-9a-f]{64}$/.test(text)
}

const form = 'Write it as `ghcr.io/owner/name`, `ghcr.io/owner/name:tag` or `ghcr.io/owner/name@sha256:…`.'

const dockerHub = 'docker.io'

/** A first part is a host when it has a dot or a port, or is `localhost`. */
function splitHost(named: string): { readonly host: string; readonly path: string } {
  const slash = named.indexOf('/')
  const first = named.slice(0, Math.max(slash, 0))
  if (slash === -1 || !(/[.:]/.test(first) || first.toLowerCase() === 'localhost'))
    return { host: dockerHub, path: named }
  const host = first.toLowerCase()
  return { host: host === 'index.docker.io' ? dockerHub : host, path: named.slice(slash + 1) }
}

function hostProblem(host: string): string | undefined {
  const label = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?'
  const valid = new RegExp(`^(?:${label}(?:\\.${label})*|\\[[0-9a-f:]+\\])(?::(\\d{1,5}))?$`).exec(host)
  if (valid && Number(valid[1] ?? 1) >= 1 && Number(valid[1] ?? 1) <= 65_535 && URL.canParse(`https://${host}`))
    return undefined
  return `does not begin with a host: "${host}" is none. ${form}`
}

function repositoryProblem(host: string, repository: string): string | undefined {
  if (repository === '') return `names no repository on ${host}. ${form}`
  if (host.length + repository.length + 1 > 255) return 'is longer than 255 characters, tag and digest not counted.'
  if (host === dockerHub && !repository.includes('/')) {
    if (repository.includes('.')) return `names no repository: there is no / in it. ${form}`
    return `names no owner: a name alone is an official image of Docker Hub. ${form}`
  }
  if (repository.split('/').every((part) => partForm.test(part))) return undefined
  if (repository !== repository.toLowerCase() && repositoryProblem(host, repository.toLowerCase()) === undefined) {
    return `has capital letters in the repository's name, which no registry allows. Write ${host}/${repository.toLowerCase()}`
  }
  return (
    `has a wrong repository name, "${repository}": each part between two \`/\` is of lower-case letters, digits and, between ` +
    'them, `.`, `_`, `__` or `-`.'
  )
}

const partForm = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/

function tagProblem(tag: string | undefined): string | undefined {
  if (tag === undefined || /^\w[\w.-]{0,127}$/.test(tag)) return undefined
  if (tag === '') return `has an empty tag: nothing follows the \`:\`. ${form}`
  return 'is no tag: a tag has at most 128 letters, digits, `_`, `.` and `-`, and begins with none of the last two.'
}

function digestProblem(digest: string | undefined): string | undefined {
  if (digest === undefined || isDigest(digest)) return undefined
  if (/^sha(384|512):/.test(digest)) return 'has a digest that is not of SHA-256. Others are not supported.'
  const given = /^sha256:[0-9a-f]*$/.test(digest) ? `, and this one has ${digest.length - 'sha256:'.length}` : ''
  return `has a wrong digest: it is \`sha256:\` and 64 lower-case hex digits${given}.`
}

/** The text, unless it could hold a password. */
function quoted(text: string): string {
  return text === '' || /^[^/]*@.*\/|:\/\//.test(text) ? '' : ` ${JSON.stringify(text.slice(0, 300))}`
}
