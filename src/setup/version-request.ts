import semver from 'semver'
import { ConfigurationError } from '../errors.ts'

/** What the input `version` asks for. Versions are without a leading `v`. */
export type VersionRequest =
  /** What the module's own project needs. */
  | { readonly kind: 'auto' }
  /** The newest release that is no pre-release. */
  | { readonly kind: 'latest' }
  | { readonly kind: 'exact'; readonly version: string }
  | { readonly kind: 'range'; readonly range: string }

/** What `version` may be, for messages and tables. */
export const allowedVersions =
  '`auto`, `latest`, a version such as `2.8.3`, or a range such as `^2.8`, `~2.8.0` or `2.x` (https://github.com/npm/node-semver#ranges)'

/** Reads the input `version`. Throws a `ConfigurationError` for a text that is none of `allowedVersions`. */
export function parseVersionRequest(input: string): VersionRequest {
  const text = input.trim()
  if (text === 'auto' || text === 'latest') return { kind: text }
  const exact = semver.valid(text)
  if (exact !== null) return { kind: 'exact', version: exact }
  const range = semver.validRange(text)
  if (text !== '' && range !== null) return { kind: 'range', range: text }
  throw new ConfigurationError(`Input \`version\` is \`${text.slice(0, 100)}\`; allowed is ${allowedVersions}.`)
}
