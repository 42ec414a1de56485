import * as z from 'zod'
import { cutMarkdown } from '../cut-markdown.ts'
import type { ApiAnswer, ApiFailure, GitHubApi } from './api.ts'

/** Which comment: the one that this project wrote about `key`, such as `migrate-schema my-game`, on a pull request. */
export type CommentPlace = {
  /** `owner/name`. */
  readonly repository: string
  /** The number of the pull request, or of the issue. */
  readonly issue: number
  /** What the comment is about. There is one comment for each key. */
  readonly key: string
  /** Whether only a comment that is there already is changed, and none is written anew. */
  readonly isOnlyChanged?: boolean
}

export type CommentOutcome =
  /** It says now what it should. `url` is its page. */
  | { readonly kind: 'created' | 'updated' | 'unchanged'; readonly url: string }
  /** There was nothing to say: a comment of an earlier run is gone, or there was none. */
  | { readonly kind: 'removed' | 'nothing' }
  /** The token may not comment; of a pull request from a fork it never may. */
  | { readonly kind: 'not-allowed'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string }

/**
 * Sees to it that there is one comment with this Markdown, or none when there is nothing to say. An earlier one is
 * changed in place. Ours is the one that begins with the marker and that the token's user wrote: anybody can write a
 * marker. Of several, which runs at the same time may leave, the oldest is kept. Needs `pull-requests: write`. Throws
 * nothing.
 */
export async function stickyComment(
  api: GitHubApi,
  { repository, issue, key, isOnlyChanged = false }: CommentPlace,
  markdown: string | undefined
): Promise<CommentOutcome> {
  const thread: Thread = {
    api,
    repository,
    path: `/repos/${repository}/issues/${issue}/comments`,
    marker: markerOf(key)
  }
  const body = markdown?.trim() ? bodyOf(thread.marker, markdown) : undefined
  const ours = await ourComments(thread)
  if (ours.kind !== 'ok') return refused(ours)
  const [oldest, ...others] = ours.value
  if (body === undefined) return oldest ? removed(thread, ours.value) : { kind: 'nothing' }
  const kept = oldest ? await keepOne(thread, oldest, others, body) : gone
  if (kept.kind !== 'gone') return kept
  return isOnlyChanged ? { kind: 'nothing' } : create(thread, body)
}

type Thread = {
  readonly api: GitHubApi
  readonly repository: string
  readonly path: string
  readonly marker: string
}

/** https://docs.github.com/rest/issues/comments */
const commentShape = z.object({
  id: z.int(),
  body: z.string().nullish(),
  html_url: z.string(),
  /** Nobody when the account is gone. */
  user: z.object({ login: z.string() }).nullable()
})

type Comment = z.output<typeof commentShape>

const needs = { permission: 'pull-requests: write' }

/** GitHub takes 65,536 characters. */
const longestBody = 64_000

function bodyOf(marker: string, markdown: string): string {
  const room = { limit: longestBody - marker.length - 1, sizeOf: (text: string) => text.length, note: cutNote }
  return `${marker}\n${cutMarkdown(markdown.trim(), room)}`.trimEnd()
}

const cutNote = '_The rest was cut: a comment can hold no more. The job summary has it._'

/** A comment in HTML, which is not shown. Two keys never have the same; nothing in a key ends it. */
function markerOf(key: string): string {
  const written = key.replace(/[%<>\p{Cc}\p{Zl}\p{Zp}]|-(?=-)/gu, (character) => {
    const bytes = [...Buffer.from(character)]
    return bytes.map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
  })
  return `<!-- stdb-actions: ${written} -->`
}

/** Those that this token's user wrote with the marker, the oldest first. */
async function ourComments(thread: Thread): Promise<ApiAnswer<readonly Comment[]>> {
  const marked = await markedComments(thread)
  if (marked.kind !== 'ok' || marked.value.length === 0) return marked
  const user = await tokenUser(thread.api)
  return user.kind === 'ok' ? { kind: 'ok', value: writtenBy(user.value, marked.value) } : user
}

function writtenBy(login: string | undefined, comments: readonly Comment[]): readonly Comment[] {
  return comments.filter(({ user }) => user !== null && user.login === login).sort((a, b) => a.id - b.id)
}

async function markedComments({ api, path, marker }: Thread): Promise<ApiAnswer<readonly Comment[]>> {
  const marked: Comment[] = []
  let looked = 0
  for await (const page of api.pages(`${path}?per_page=100`, z.array(commentShape), needs)) {
    if (page.kind !== 'ok') return page
    marked.push(...page.value.filter(({ body }) => body?.startsWith(marker)))
    looked += 1
    if (looked === mostPages) break
  }
  return { kind: 'ok', value: marked }
}

/** An issue takes no comment after its 2,500th. */
const mostPages = 30

/**
 * The login that comments of this token have: `github-actions[bot]` for `GITHUB_TOKEN`. The REST API refuses `/user` to
 * a token of an app, which that one is; the GraphQL API answers each
 * (https://docs.github.com/graphql/reference/queries#viewer).
 */
async function tokenUser(api: GitHubApi): Promise<ApiAnswer<string>> {
  const answer = await api.query('query { viewer { login } }', z.object({ viewer: z.object({ login: z.string() }) }))
  return answer.kind === 'ok' ? { kind: 'ok', value: answer.value.viewer.login } : answer
}

/** Then looks again: another run may have made one meanwhile, and one whose answer was lost may be there. */
async function create(thread: Thread, body: string): Promise<CommentOutcome> {
  const made = await thread.api.post(thread.path, { body }, commentShape, needs)
  if (made.kind === 'forbidden' || made.kind === 'rate-limited' || made.kind === 'not-found') return refused(made)
  const found = made.kind === 'ok' ? await besides(thread, made.value) : await ourComments(thread)
  const [oldest, ...others] = found.kind === 'ok' ? found.value : []
  if (!oldest) return made.kind === 'ok' ? { kind: 'created', url: made.value.html_url } : refused(made)
  const kept = await keepOne(thread, oldest, others, body)
  if (kept.kind === 'gone') return { kind: 'failed', reason: 'The comment was removed as soon as it was written.' }
  return kept.kind === 'unchanged' ? { kind: 'created', url: oldest.html_url } : kept
}

/** All of ours with one that was made just now, which the list may not have yet. */
async function besides(thread: Thread, made: Comment): Promise<ApiAnswer<readonly Comment[]>> {
  const marked = await markedComments(thread)
  if (marked.kind !== 'ok') return marked
  const others = marked.value.filter(({ id }) => id !== made.id)
  return { kind: 'ok', value: writtenBy(made.user?.login, [...others, made]) }
}

async function keepOne(
  thread: Thread,
  { id, html_url: url, body: before }: Comment,
  others: readonly Comment[],
  body: string
): Promise<CommentOutcome | Gone> {
  const failure = await removeAll(thread, others)
  if (failure) return refused(failure)
  if (before && sameText(before, body)) return { kind: 'unchanged', url }
  const changed = await thread.api.patch(commentPath(thread, id), { body }, z.unknown(), needs)
  if (changed.kind === 'not-found') return gone
  return changed.kind === 'ok' ? { kind: 'updated', url } : refused(changed)
}

/** A comment that was in the list, but not any more when it was to be changed. */
type Gone = { readonly kind: 'gone' }
const gone: Gone = { kind: 'gone' }

async function removed(thread: Thread, comments: readonly Comment[]): Promise<CommentOutcome> {
  const failure = await removeAll(thread, comments)
  return failure ? refused(failure) : { kind: 'removed' }
}

async function removeAll(thread: Thread, comments: readonly Comment[]): Promise<ApiFailure | undefined> {
  for (const { id } of comments) {
    const removed = await thread.api.delete(commentPath(thread, id), needs)
    if (removed.kind !== 'ok' && removed.kind !== 'not-found') return removed
  }
  return undefined
}

function commentPath({ repository }: Thread, id: number): string {
  return `/repos/${repository}/issues/comments/${id}`
}

/** Whoever edits a comment by hand leaves other line ends. */
function sameText(one: string, other: string): boolean {
  const plain = (text: string) => text.replaceAll('\r\n', '\n').trimEnd()
  return plain(one) === plain(other)
}

function refused({ kind, reason }: ApiFailure): CommentOutcome {
  if (kind !== 'forbidden') return { kind: 'failed', reason }
  const fork = 'For a pull request from a fork GitHub gives the job a token that may only read.'
  return { kind: 'not-allowed', reason: `${reason} ${fork}` }
}
