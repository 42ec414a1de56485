import { createHash } from 'node:crypto'
import { ok, type ResultsAnswer, type ResultsCall, type ResultsMethod, text, twirpError } from './results-calls.ts'

/** An artifact of a run that is there whole. */
export type Artifact = {
  readonly id: number
  readonly run: string
  /** The job that uploaded it. */
  readonly job: string
  readonly name: string
  readonly blob: string
  readonly mimeType: string
  /** In bytes, as it is stored. */
  readonly size: number
  /** `sha256:` and hex. */
  readonly digest: string
  readonly createdAt: Date
  expiresAt: Date
}

type Upload = Pick<Artifact, 'run' | 'job' | 'name' | 'blob' | 'mimeType' | 'expiresAt'>

const day = 24 * 60 * 60 * 1000

/**
 * Artifacts (v4), as `@actions/artifact` 6 asks for them. They belong to a run: all of its jobs see them, and a name is
 * taken once. It is stricter than the real service in that size and digest must be those of what was uploaded.
 */
export class Artifacts {
  readonly all: Artifact[] = []
  readonly #uploads: Upload[] = []

  readonly methods: Readonly<Record<string, ResultsMethod>> = {
    CreateArtifact: (call) => this.#create(call),
    FinalizeArtifact: (call) => this.#finalize(call),
    ListArtifacts: (call) => this.#list(call),
    GetSignedArtifactURL: (call) => this.#sign(call),
    DeleteArtifact: (call) => this.#delete(call)
  }

  #create(call: ResultsCall): ResultsAnswer {
    const { run, job } = call.job
    const name = text(call, 'name')
    if (!ownIds(call)) return twirpError(403, 'permission_denied', 'the token is of another job')
    if (name === '') return twirpError(400, 'invalid_argument', 'name is required')
    if ([...this.all, ...this.#uploads].some((other) => other.run === run && other.name === name)) {
      return twirpError(409, 'already_exists', 'an artifact with this name already exists on the workflow run')
    }
    const expires = text(call, 'expires_at')
    const upload: Upload = {
      run,
      job,
      name,
      blob: `artifact-${call.newId()}`,
      mimeType: text(call, 'mime_type'),
      expiresAt: expires === '' ? new Date(Date.now() + 90 * day) : new Date(expires)
    }
    this.#uploads.push(upload)
    return ok({ ok: true, signed_upload_url: call.urlOf(call.blobs.uploadPath(upload.blob)) })
  }

  #finalize(call: ResultsCall): ResultsAnswer {
    const index = this.#uploads.findIndex(({ run, name }) => run === call.job.run && name === text(call, 'name'))
    const upload = this.#uploads[index]
    const blob = upload && call.blobs.get(upload.blob)
    if (!upload || !blob) return twirpError(404, 'not_found', 'no artifact of this name is being uploaded')
    const digest = `sha256:${createHash('sha256').update(blob.bytes).digest('hex')}`
    const given = { size: Number(text(call, 'size')), digest: text(call, 'hash') || digest }
    if (given.size !== blob.bytes.length || given.digest !== digest) {
      return twirpError(400, 'invalid_argument', 'size or hash differ from what was uploaded')
    }
    this.#uploads.splice(index, 1)
    const artifact = { ...upload, id: call.newId(), size: blob.bytes.length, digest, createdAt: new Date() }
    this.all.push(artifact)
    return ok({ ok: true, artifact_id: String(artifact.id) })
  }

  #list(call: ResultsCall): ResultsAnswer {
    const name = text(call, 'name_filter')
    const id = text(call, 'id_filter')
    const found = this.#ofRun(call).filter(
      (artifact) => (name === '' || artifact.name === name) && (id === '' || String(artifact.id) === id)
    )
    return ok({
      artifacts: found.map((artifact) => ({
        workflow_run_backend_id: artifact.run,
        workflow_job_run_backend_id: artifact.job,
        database_id: String(artifact.id),
        name: artifact.name,
        size: String(artifact.size),
        created_at: artifact.createdAt.toISOString(),
        digest: artifact.digest
      }))
    })
  }

  #sign(call: ResultsCall): ResultsAnswer {
    const artifact = this.#named(call)
    if (artifact === undefined) return twirpError(404, 'not_found', 'artifact not found')
    const path = call.blobs.downloadPath(artifact.blob, fileName(artifact))
    return ok({ name: artifact.name, signed_url: call.urlOf(path) })
  }

  #delete(call: ResultsCall): ResultsAnswer {
    const artifact = this.#named(call)
    if (artifact === undefined) return twirpError(404, 'not_found', 'artifact not found')
    this.all.splice(this.all.indexOf(artifact), 1)
    return ok({ ok: true, artifact_id: String(artifact.id) })
  }

  #ofRun({ job: { run } }: ResultsCall): Artifact[] {
    return this.all.filter((artifact) => artifact.run === run && artifact.expiresAt.getTime() > Date.now())
  }

  #named(call: ResultsCall): Artifact | undefined {
    return this.#ofRun(call).find(({ name }) => name === text(call, 'name'))
  }
}

/** What a browser would call the file: an artifact that is not zipped has its own ending already. */
export function fileName({ name, mimeType }: Pick<Artifact, 'name' | 'mimeType'>): string {
  return mimeType === 'application/zip' && !name.endsWith('.zip') ? `${name}.zip` : name
}

function ownIds(call: ResultsCall): boolean {
  const { run, job } = call.job
  return text(call, 'workflow_run_backend_id') === run && text(call, 'workflow_job_run_backend_id') === job
}
