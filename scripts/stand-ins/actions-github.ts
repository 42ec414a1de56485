import { HttpClient } from '@actions/http-client'

/**
 * Stands in for `@actions/github` in the bundle. `@actions/artifact` makes one request by it that we need: where an
 * artifact of another run lies. The real one brings octokit and undici for that, 200 kB of what each job downloads.
 */
export function getOctokit(token: string, ...more: readonly unknown[]) {
  if (more.length > 0)
    throw new Error('The bundle holds no octokit: finding artifacts of other runs is for src/github.')
  return { rest: { actions: { downloadArtifact: (artifact: ArtifactOfRun) => downloadArtifact(token, artifact) } } }
}

type ArtifactOfRun = { readonly owner: string; readonly repo: string; readonly artifact_id: number }

/**
 * The answer, which leads to the archive. Throws with what GitHub says when that is no success:
 * https://docs.github.com/rest/actions/artifacts#download-an-artifact
 */
async function downloadArtifact(token: string, { owner, repo, artifact_id }: ArtifactOfRun) {
  const client = new HttpClient('stdb-actions', [], { allowRedirects: false, socketTimeout: 60_000 })
  const api = process.env.GITHUB_API_URL || 'https://api.github.com'
  const headers = { accept: 'application/vnd.github+json', authorization: `token ${token}` }
  const path = [owner, repo].map(encodeURIComponent).join('/')
  const response = await client.get(`${api}/repos/${path}/actions/artifacts/${artifact_id}/zip`, headers)
  const status = response.message.statusCode ?? 0
  const body = await response.readBody()
  if (status >= 400) throw new Error(reasonIn(body))
  return { status, headers: response.message.headers }
}

function reasonIn(body: string): string {
  try {
    const { message, documentation_url: page } = JSON.parse(body)
    return page === undefined ? `${message}` : `${message} - ${page}`
  } catch {
    return body
  }
}
