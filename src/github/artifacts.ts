import { messageOf } from '../errors.ts'
import { within } from './within.ts'

/** Files that the jobs of a run hand on to each other, and that are kept after it. What goes wrong is a value. */
export type Artifacts = {
  upload(artifact: ArtifactToUpload): Promise<Uploaded>
  /** The newest of a name that this run has made so far. */
  find(name: string): Promise<FoundArtifact>
  /** All that this run has made so far, the newest of each name. */
  list(): Promise<ListedArtifacts>
  /**
   * Unpacks one into a folder, which is made when it is not there. Of another run than this one when `from` says so.
   * A digest that is known is compared with that of what came.
   */
  download(artifact: DownloadableArtifact, folder: string, from?: OtherRun): Promise<DownloadedArtifact>
}

export type ArtifactToUpload = {
  readonly name: string
  /** Absolute paths of files. */
  readonly files: readonly string[]
  /** Holds all of them; their paths in the artifact are relative to it. */
  readonly folder: string
  /** The repository's own setting without it. */
  readonly retentionDays?: number | undefined
}

export type Artifact = {
  readonly id: number
  readonly name: string
  /** Of the archive, in bytes. */
  readonly size: number
  /** Of the archive: `sha256:` and 64 hex digits. */
  readonly digest?: string
}

export type DownloadableArtifact = Pick<Artifact, 'id' | 'digest'>

/** Where an artifact of another run lies; the token needs `actions: read`. */
export type OtherRun = { readonly owner: string; readonly repository: string; readonly token: string }

export type Uploaded =
  | { readonly kind: 'uploaded'; readonly id: number; readonly digest: string; readonly size: number }
  | ArtifactFailure
export type FoundArtifact =
  | { readonly kind: 'found'; readonly artifact: Artifact }
  | { readonly kind: 'not-found' }
  | ArtifactFailure
export type ListedArtifacts = { readonly kind: 'listed'; readonly artifacts: readonly Artifact[] } | ArtifactFailure
export type DownloadedArtifact = { readonly kind: 'downloaded' } | ArtifactFailure

export type ArtifactFailure = {
  readonly kind: 'failed'
  readonly problem: 'not-on-a-runner' | 'unsupported-server' | 'illegal-name' | 'name-taken' | 'quota' | 'other'
  /** What is wrong and what to do. */
  readonly reason: string
}

export type ArtifactsOptions = {
  /** Of the step: tells whether the service can be reached from here. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** In milliseconds, for each upload and download as a whole; 15 minutes without it. */
  readonly timeout?: number
}

/** The artifacts of this run on GitHub: https://docs.github.com/actions/concepts/workflows-and-actions/workflow-artifacts. */
export function gitHubArtifacts({ environment, timeout = 15 * 60_000 }: ArtifactsOptions): Artifacts {
  const withClient = async <T>(what: string, work: (client: Client) => Promise<T>): Promise<T | ArtifactFailure> => {
    if (!environment.ACTIONS_RUNTIME_TOKEN || !environment.ACTIONS_RESULTS_URL) return notOnARunner
    try {
      const { DefaultArtifactClient } = await import('@actions/artifact')
      return await within(timeout, work(new DefaultArtifactClient()))
    } catch (error) {
      return failureOf(what, error)
    }
  }
  return {
    upload: async (artifact) => {
      const illegal = illegalIn(artifact.name)
      if (illegal !== undefined) return illegalName(artifact.name, illegal)
      return withClient(`upload the artifact \`${artifact.name}\``, (client) => upload(client, artifact))
    },
    find: (name) => withClient(`look for the artifact \`${name}\``, (client) => find(client, name)),
    list: () =>
      withClient("list the run's artifacts", async (client) => {
        const { artifacts } = await client.listArtifacts({ latest: true })
        return { kind: 'listed', artifacts }
      }),
    download: (artifact, folder, from) =>
      withClient(`download the artifact ${artifact.id}`, (client) => download(client, artifact, folder, from))
  }
}

type Client = import('@actions/artifact').ArtifactClient

async function upload(client: Client, { name, files, folder, retentionDays }: ArtifactToUpload): Promise<Uploaded> {
  const options = retentionDays === undefined ? {} : { retentionDays }
  const { id, digest, size } = await client.uploadArtifact(name, [...files], folder, options)
  if (id === undefined || digest === undefined || size === undefined) throw new Error('the service named no artifact')
  return { kind: 'uploaded', id, digest: `sha256:${digest}`, size }
}

async function find(client: Client, name: string): Promise<FoundArtifact> {
  try {
    const { artifact } = await client.getArtifact(name)
    return { kind: 'found', artifact }
  } catch (error) {
    if (nameOf(error) === 'ArtifactNotFoundError') return { kind: 'not-found' }
    throw error
  }
}

async function download(
  client: Client,
  { id, digest }: DownloadableArtifact,
  folder: string,
  from?: OtherRun
): Promise<DownloadedArtifact> {
  const { digestMismatch } = await client.downloadArtifact(id, {
    path: folder,
    ...(digest && { expectedHash: digest }),
    ...(from && {
      // The run is not looked at when an artifact is named by its id.
      findBy: { token: from.token, workflowRunId: 0, repositoryOwner: from.owner, repositoryName: from.repository }
    })
  })
  if (digestMismatch) {
    throw new Error(`what came has another digest than ${digest}, which was stated when it was uploaded`)
  }
  return { kind: 'downloaded' }
}

/** What the service takes in no name: https://github.com/actions/toolkit/blob/main/packages/artifact. */
const illegalCharacters = /["'`:<>|*?\\/\p{Cc}]/u

/** The first character of a name that no artifact may have in it; `''` for a name that is empty. */
function illegalIn(name: string): string | undefined {
  return name.trim() === '' ? '' : illegalCharacters.exec(name)?.[0]
}

/** A text as the name of an artifact. */
export function artifactName(text: string): string {
  return text.replace(/["'`:<>|*?\\/\p{Cc}\s]+/gu, '-').replace(/^[-.]+|[-.]+$/g, '') || 'unnamed'
}

function illegalName(name: string, illegal: string): ArtifactFailure {
  const problem = illegal === '' ? 'is empty' : `has ${JSON.stringify(illegal)} in it`
  const reason =
    `The name of an artifact, ${JSON.stringify(name)}, ${problem}. Give \`artifact-name\` letters, digits, dashes and ` +
    'dots; quotes, slashes and : < > | * ? are not allowed.'
  return { kind: 'failed', problem: 'illegal-name', reason }
}

const notOnARunner: ArtifactFailure = {
  kind: 'failed',
  problem: 'not-on-a-runner',
  reason:
    'There is no artifact service where this runs (ACTIONS_RUNTIME_TOKEN and ACTIONS_RESULTS_URL are not set, as they are ' +
    "by GitHub's runner). Run it in a workflow, or without artifacts."
}

function failureOf(what: string, error: unknown): ArtifactFailure {
  const said = messageOf(error).replace(/\s+/g, ' ').trim()
  const failed = (problem: ArtifactFailure['problem'], reason: string) => ({ kind: 'failed', problem, reason }) as const
  if (nameOf(error) === 'UsageError' || /storage quota/i.test(said)) {
    return failed(
      'quota',
      `GitHub did not ${what}: the storage for artifacts is full. Delete old artifacts, keep them for fewer days ` +
        "(`retention-days`), or raise the limit under the owner's billing settings."
    )
  }
  if (nameOf(error) === 'GHESNotSupportedError') {
    return failed(
      'unsupported-server',
      "GitHub Enterprise Server has not the artifact service that this needs. Don't upload here."
    )
  }
  if (/\(409\)|already exists/i.test(said)) {
    return failed(
      'name-taken',
      `GitHub did not ${what}: this run has one of that name already, and an artifact is never replaced. Give each job of ` +
        'the run, and each of a matrix, its own `artifact-name`.'
    )
  }
  return failed('other', `GitHub did not ${what}: ${said}. If it was only out of order, run the job again.`)
}

/** The client's errors are told apart by their names: a bundle may hold its classes twice. */
function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : ''
}
