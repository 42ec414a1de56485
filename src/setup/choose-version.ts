import semver from 'semver'
import { SetupFailure } from './failure.ts'
import type { ProjectVersion } from './project-version.ts'
import type { Release, Releases } from './releases.ts'
import type { Target } from './target.ts'
import type { VersionRequest } from './version-request.ts'

/** The version that is to be set up. */
export type ChosenVersion = {
  readonly version: string
  /** Why, as a sentence without an end. */
  readonly reason: string
  /** The release, where choosing had to look at it. */
  readonly release?: Release
}

/**
 * Chooses the version to set up. GitHub is asked only for what names no exact version. Throws a `ConfigurationError`
 * when the project does not tell, a `SetupFailure` when there is no such release or GitHub can't be asked.
 */
export async function chooseVersion(
  request: VersionRequest,
  project: () => Promise<ProjectVersion>,
  releases: Pick<Releases, 'all'>,
  target: Target
): Promise<ChosenVersion> {
  const wanted = request.kind === 'auto' ? await project() : { ...request, reason: reasonOf(request) }
  switch (wanted.kind) {
    case 'exact':
      return { version: wanted.version, reason: wanted.reason }
    case 'latest':
      return newest('*', wanted.reason, releases, target)
    case 'range':
      return newest(wanted.range, `${wanted.reason}; it is the newest release of that range`, releases, target)
  }
}

function reasonOf(request: Exclude<VersionRequest, { kind: 'auto' }>): string {
  switch (request.kind) {
    case 'exact':
      return 'the input `version` says so'
    case 'latest':
      return 'it is the newest release'
    case 'range':
      return `the input \`version\` asks for ${request.range}`
  }
}

async function newest(
  range: string,
  reason: string,
  releases: Pick<Releases, 'all'>,
  target: Target
): Promise<ChosenVersion> {
  const list = await releases.all()
  if (list.kind === 'unavailable') {
    throw new SetupFailure(
      'version not found',
      `Which release is the newest${range === '*' ? '' : ` of ${range}`} could not be found out. ${list.reason} An exact \`version\`, such as \`2.8.3\`, needs no list of releases.`
    )
  }
  const stable = list.releases.filter(({ isPrerelease }) => !isPrerelease)
  const usable = stable.filter(({ assets }) => assets.some(({ name }) => name === target.asset))
  const version = semver.maxSatisfying(
    usable.map((release) => release.version),
    range
  )
  const release = usable.find((each) => each.version === version)
  if (release !== undefined) return { version: release.version, reason, release }
  const known = stable.map((each) => each.version).sort(semver.rcompare)
  throw new SetupFailure(
    'version not found',
    `No release of SpacetimeDB for ${target.triple} is in the range ${range}. There are ${known.slice(0, 8).join(', ') || 'none'}. Pre-releases are chosen only when the input \`version\` names one exactly.`
  )
}
