import { readFile } from 'node:fs/promises'
import { warn } from '../../src/action/annotations.ts'
import type { Environment } from '../../src/action/inputs.ts'
import { log } from '../../src/action/log.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { systemClock } from '../../src/clock.ts'
import { messageOf } from '../../src/errors.ts'
import { type CommentPlace, stickyComment } from '../../src/github/comment.ts'
import { gitHubDeployments } from '../../src/github/deployments.ts'
import { type PullRequestState, pullRequestState } from '../../src/github/pull-request.ts'
import { type WrittenRelease, writtenRecordSchema } from '../../src/preview/other-use.ts'
import type { Preview } from '../../src/preview/preview.ts'
import type { WrittenReleases } from '../../src/preview/standing.ts'
import { ledgerTask } from '../github-ledger.ts'
import { type OwnRepository, ownRepository } from '../own-repository.ts'
import { tellComment } from '../telling-comment.ts'
import type { spec } from './spec.ts'

type PreviewInputs = Inputs<typeof spec>

/** What the repository on GitHub is asked and told; nothing outside of a run, or without a token. */
export type GitHubSide = {
  readonly pullRequest: (number: number) => Promise<PullRequestState>
  /** Asks once. */
  readonly releases: () => Promise<WrittenReleases>
  /** Keeps the one comment about a preview. It never fails the step. */
  readonly comment: (preview: Preview, markdown: string, how?: CommentChoice) => Promise<void>
}

type CommentChoice = Pick<CommentPlace, 'isOnlyChanged'>

export function gitHubSide(inputs: PreviewInputs, environment: Environment): GitHubSide {
  const own = ownRepository(environment, inputs.githubToken)
  let asked: Promise<WrittenReleases> | undefined
  return {
    pullRequest: (number) => (own ? pullRequestState(own.api, nameOf(own), number) : nobodyToAsk),
    releases: () => {
      asked ??= own && inputs.ledger === 'github' ? readReleases(own) : nothingWritten
      return asked
    },
    comment: (preview, markdown, how) => commentOn(preview, markdown, inputs, own, how)
  }
}

const nothingWritten: Promise<WrittenReleases> = Promise.resolve({ kind: 'none' })

const nobodyToAsk: Promise<PullRequestState> = Promise.resolve({
  kind: 'unknown',
  reason:
    'This is no run of GitHub Actions, or there is no `github-token`, so GitHub can not be asked about pull requests.'
})

function nameOf({ owner, repository }: OwnRepository): string {
  return `${owner}/${repository}`
}

/** 5,000 deployments. */
const mostPages = 50

async function readReleases(own: OwnRepository): Promise<WrittenReleases> {
  const place = { api: own.api, repository: nameOf(own), task: ledgerTask, clock: systemClock }
  const releases: WrittenRelease[] = []
  let pages = 0
  for await (const page of gitHubDeployments(place).list()) {
    if (page.kind === 'forbidden' || page.kind === 'not-found') {
      warn('The ledger of releases is not looked at', `${page.reason}\nA preview is known by its name and owner alone.`)
      return { kind: 'none' }
    }
    if (page.kind !== 'ok') return { kind: 'unknown', reason: page.reason }
    for (const { environment, payload, created: begun } of page.value) {
      const record = writtenRecordSchema.safeParse(payload)
      if (record.success) releases.push({ environment, record: record.data, begun })
    }
    pages += 1
    if (pages === mostPages) {
      warn('The ledger of releases is long', `Only its newest ${releases.length} releases were looked at.`)
      break
    }
  }
  return { kind: 'read', releases }
}

async function commentOn(
  { number, database }: Preview,
  markdown: string,
  { comment, server }: PreviewInputs,
  own: OwnRepository | undefined,
  how: CommentChoice = {}
): Promise<void> {
  if (!comment || own === undefined) return
  const place = { repository: nameOf(own), issue: number, key: `preview ${database} ${server}`, ...how }
  try {
    tellComment(await stickyComment(own.api, place, markdown))
  } catch (error) {
    warn('No comment on the pull request', messageOf(error))
  }
}

/** What GitHub says of the event that started the run; `undefined` when it can't be read. */
export async function readEvent({ GITHUB_EVENT_PATH: path }: Environment): Promise<unknown> {
  if (!path) return undefined
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    log(`The event of the run could not be read: ${messageOf(error)}`)
    return undefined
  }
}
