import * as z from 'zod'
import type { ApiAnswer, GitHubApi } from './api.ts'

/** A file of a release on GitHub. */
export type ReleaseAsset = {
  readonly id: number
  readonly name: string
  /** In bytes. */
  readonly size: number
}

/** A release by its tag. */
export type TaggedRelease = { readonly owner: string; readonly repository: string; readonly tag: string }

/** The files of a release. Needs `contents: read`; `not-found` when the tag has no release. */
export async function releaseAssets(
  api: Pick<GitHubApi, 'get'>,
  { owner, repository, tag }: TaggedRelease
): Promise<ApiAnswer<readonly ReleaseAsset[]>> {
  const path = `/repos/${owner}/${repository}/releases/tags/${encodeURIComponent(tag)}`
  const answer = await api.get(path, releaseShape, needs)
  return answer.kind === 'ok' ? { kind: 'ok', value: answer.value.assets } : answer
}

/** What is in a file of a release. Needs `contents: read`. */
export function downloadAsset(
  api: Pick<GitHubApi, 'bytes'>,
  { owner, repository }: Pick<TaggedRelease, 'owner' | 'repository'>,
  { id, size }: ReleaseAsset
): Promise<ApiAnswer<Uint8Array>> {
  return api.bytes(`/repos/${owner}/${repository}/releases/assets/${id}`, size, needs)
}

const needs = { permission: 'contents: read' }

/** https://docs.github.com/rest/releases/releases#get-a-release-by-tag-name */
const releaseShape = z.object({
  assets: z.array(z.object({ id: z.int(), name: z.string(), size: z.int() }))
})
