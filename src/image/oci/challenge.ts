/** How a registry wants to be asked: by a token from its realm, or by the credential itself. */
export type Challenge =
  | { readonly scheme: 'basic' }
  | {
      readonly scheme: 'bearer'
      readonly realm: string
      readonly service: string | undefined
      readonly scopes: readonly string[]
    }

/**
 * The first challenge of a `WWW-Authenticate` header that is understood, Bearer before Basic
 * (https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1, https://distribution.github.io/distribution/spec/auth/token/).
 */
export function parseChallenge(header: string | undefined): Challenge | undefined {
  const challenges = challengesIn(header ?? '')
  const bearer = challenges.find(({ scheme, parameters }) => scheme === 'bearer' && parameters.has('realm'))
  if (bearer !== undefined) {
    const { parameters } = bearer
    const scopes = (parameters.get('scope') ?? '').split(/\s+/).filter((scope) => scope !== '')
    return { scheme: 'bearer', realm: `${parameters.get('realm')}`, service: parameters.get('service'), scopes }
  }
  return challenges.some(({ scheme }) => scheme === 'basic') ? { scheme: 'basic' } : undefined
}

type RawChallenge = { readonly scheme: string; readonly parameters: Map<string, string> }

/** A name that no `=` follows begins a challenge; all others are its parameters. */
function challengesIn(header: string): RawChallenge[] {
  const challenges: RawChallenge[] = []
  for (const [, name = '', quoted, plain] of header.slice(0, 8192).matchAll(token)) {
    const value = quoted?.replace(/\\(.)/g, '$1') ?? plain
    if (value === undefined) challenges.push({ scheme: name.toLowerCase(), parameters: new Map() })
    else challenges.at(-1)?.parameters.set(name.toLowerCase(), value)
  }
  return challenges
}

const token = /([\w!#$%&'*+.^`|~-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+)))?/g
