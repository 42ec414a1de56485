import { randomBytes, randomUUID } from 'node:crypto'

/** Who asks the results service: a job of a run, and the caches that its token opens. */
export type ResultsJob = {
  /** The run, as the service knows it. Jobs of one run see each other's artifacts. */
  readonly run: string
  readonly job: string
  /** In the order in which they are searched; the first that may be written takes what is saved. */
  readonly cacheScopes: readonly CacheScope[]
}

export type CacheScope = { readonly ref: string; readonly allows: 'read' | 'write' | 'read and write' }

/** What a job is told apart by; what is left out is that of the first job of one run on the main branch. */
export type JobChoice = {
  /** Any text without colons and spaces. */
  readonly run?: string
  readonly job?: string
  /** The ref whose caches it writes and reads; those of the main branch it reads as well. */
  readonly ref?: string
  /** `read`: a run that the service does not trust with writing, such as one of a fork's pull request. */
  readonly cache?: 'read' | 'write' | 'none'
}

/** The ref whose caches all jobs of a repository read. */
export const mainRef = 'refs/heads/main'

export function resultsJob({ run = 'run-1', job = 'job-1', ref = mainRef, cache = 'write' }: JobChoice): ResultsJob {
  const own: CacheScope = { ref, allows: cache === 'write' ? 'read and write' : 'read' }
  const main: CacheScope = { ref: mainRef, allows: 'read' }
  const scopes = ref === mainRef ? [own] : [own, main]
  return { run, job, cacheScopes: cache === 'none' ? [] : scopes }
}

const permissions = { read: 1, write: 2, 'read and write': 3 }

/**
 * A token as a runner gives it to a job (`ACTIONS_RUNTIME_TOKEN`): the clients read the run's and the job's ids in it,
 * and the claim `ac` names the caches. Its signature is random: the service knows the tokens that it gave out.
 */
export function runtimeToken({ run, job, cacheScopes }: ResultsJob): string {
  const access = cacheScopes.map(({ ref, allows }) => ({ Scope: ref, Permission: permissions[allows] }))
  const now = Math.floor(Date.now() / 1000)
  const claims = {
    nameid: randomUUID(),
    scp: `Actions.GenericRead:00000000-0000-0000-0000-000000000000 Actions.Results:${run}:${job}`,
    ac: JSON.stringify(access),
    iat: now,
    exp: now + 6 * 60 * 60
  }
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}.${randomBytes(64).toString('base64url')}`
}
