import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { IdTokens } from '../runner/oidc.ts'
import type { GitHubApi } from '../stand-ins/github/api.ts'
import type { Permissions } from '../stand-ins/github/state.ts'
import { resultsRun } from '../stand-ins/github/state.ts'
import type { ResultsService } from '../stand-ins/results-service.ts'
import type { Workflow, WorkflowJob } from './workflow.ts'

export type JobVariablesOptions = {
  readonly workflow: Workflow
  /** Where the files of all jobs are put. */
  readonly folder: string
  /** `GITHUB_RUN_ID`. */
  readonly run: number
  readonly ref: string
  /** Of a pull request from a fork: nothing may be written, and nobody is told who the job is. */
  readonly isFromFork: boolean
  /** What act gives to all jobs as `github.token`: good for nothing. */
  readonly givenToken: string
  readonly api: GitHubApi
  readonly results: ResultsService
  readonly idTokens: IdTokens
}

/** What each job has to mask. */
export type JobSecrets = Readonly<Record<string, string>>

/**
 * Makes what GitHub gives to each job of a run, and act does not: a token with the job's permissions, the services'
 * variables, and, with `id-token: write`, ID tokens whose subject is that of the job's environment. Steps get it by
 * `job-variables.cjs` and `job-variables.sh`.
 */
export function writeJobVariables(options: JobVariablesOptions): JobSecrets {
  const entries = [...options.workflow.jobs].map(([id, job]) => [`STAND_IN_${id}`, writeJob(options, id, job)] as const)
  return Object.fromEntries(entries.map(([name, secret]) => [name.toUpperCase().replaceAll('-', '_'), secret]))
}

function writeJob(options: JobVariablesOptions, id: string, job: WorkflowJob): string {
  const { folder, run, ref, isFromFork, givenToken: given, api, results } = options
  const permissions = isFromFork ? readOnly(job.permissions) : job.permissions
  const token = api.issueToken(permissions)
  const services = results.environmentOf({ run: resultsRun(run), job: id, ref, cache: isFromFork ? 'read' : 'write' })
  const identity = permissions['id-token'] === 'write' ? idTokenVariables(options, job) : {}
  writeFileSync(join(folder, `${id}.json`), JSON.stringify({ given, token, variables: { ...services, ...identity } }))
  const exported = Object.entries(identity).map(([name, value]) => `export ${name}='${value}'\n`)
  writeFileSync(join(folder, `${id}.sh`), `stand_in_given='${given}'\nstand_in_token='${token}'\n${exported.join('')}`)
  return token
}

function readOnly(permissions: Permissions): Permissions {
  const { 'id-token': _, ...others } = permissions
  return Object.fromEntries(Object.keys(others).map((name) => [name, 'read']))
}

/** https://docs.github.com/actions/reference/security/oidc#example-subject-claims */
function idTokenVariables({ idTokens, api, ref }: JobVariablesOptions, { environment }: WorkflowJob) {
  if (environment?.includes('${{')) throw new Error('the tests know no subject of an environment that is an expression')
  const { fullName } = api.state
  const pull = /^refs\/pull\//.test(ref)
  const place = environment === undefined ? (pull ? 'pull_request' : `ref:${ref}`) : `environment:${environment}`
  return idTokens.envOf(`repo:${fullName}:${place}`)
}
