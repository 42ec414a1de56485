import { readFile } from 'node:fs/promises'
import { warn } from '../../src/action/annotations.ts'
import type { Environment } from '../../src/action/inputs.ts'
import { log } from '../../src/action/log.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { systemClock } from '../../src/clock.ts'
import { messageOf } from '../../src/errors.ts'
import { gitHubApi } from '../../src/github/api.ts'
import { stickyComment } from '../../src/github/comment.ts'
import { findPullRequest } from '../../src/github/pull-request.ts'
import { isWorthTelling, type MigrationReport, renderMigration } from '../../src/migration/report.ts'
import { version } from '../../src/version.ts'
import { tellComment } from '../telling-comment.ts'
import type { spec } from './spec.ts'

/** Keeps the one comment about this plan up to date, where there is a pull request. It never fails the step. */
export async function commentOnPullRequest(
  report: MigrationReport,
  inputs: Inputs<typeof spec>,
  environment: Environment
): Promise<void> {
  const { comment, githubToken: token } = inputs
  const { GITHUB_REPOSITORY: repository, GITHUB_EVENT_NAME: eventName, GITHUB_EVENT_PATH: path } = environment
  if (!comment || !repository || !eventName || !path || token === undefined) return
  try {
    const url = environment.GITHUB_API_URL ?? 'https://api.github.com'
    const api = gitHubApi({ url, token, version, clock: systemClock, onRetry: log })
    const payload: unknown = JSON.parse(await readFile(path, 'utf8'))
    const found = await findPullRequest(api, { repository, eventName, payload })
    if (found.kind === 'none') {
      log(`No comment: ${found.reason}.`)
      return
    }
    const place = { repository, issue: found.number, key: keyOf(report, inputs, environment) }
    tellComment(await stickyComment(api, place, isWorthTelling(report) ? renderMigration(report) : undefined))
  } catch (error) {
    warn('No comment on the pull request', messageOf(error))
  }
}

/** There may be a plan for each of several databases, or branches. What a branch has built last is not part of it. */
function keyOf(
  { plan: { target } }: MigrationReport,
  { baseModule, baseRef, artifactName }: Inputs<typeof spec>,
  { GITHUB_BASE_REF }: Environment
): string {
  if (target) return `migrate-schema ${target.database} ${target.server}`
  if (baseModule !== undefined) return `migrate-schema file ${baseModule}`
  return `migrate-schema branch ${baseRef ?? GITHUB_BASE_REF} ${artifactName}`
}
