import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { root } from '../../scripts/repository.ts'
import type { Permissions } from '../stand-ins/github/state.ts'

/** What the tests read in a workflow: what GitHub gives its jobs, which act does not, and what they use. */
export type Workflow = {
  /** Of the file in workflows-examples. */
  readonly file: string
  readonly text: string
  /** By their ids. */
  readonly jobs: ReadonlyMap<string, WorkflowJob>
}

export type WorkflowJob = {
  readonly permissions: Permissions
  /** The name of its environment, expressions as they are written. */
  readonly environment: string | undefined
  readonly uses: readonly Use[]
}

/** An action as a step uses it. */
export type Use = {
  /** `owner/name`. */
  readonly repository: string
  /** In the repository; '' for its root. */
  readonly path: string
  readonly ref: string
  /** Names of its inputs. */
  readonly inputs: readonly string[]
}

type Parsed = {
  readonly permissions?: Permissions
  readonly jobs: Readonly<Record<string, ParsedJob>>
}

type ParsedJob = {
  readonly permissions?: Permissions
  readonly environment?: string | { readonly name: string }
  readonly steps: readonly { readonly uses?: string; readonly with?: Readonly<Record<string, unknown>> }[]
}

/** The files of workflows-examples. */
export const workflowFiles: readonly string[] = readdirSync(join(root, 'workflows-examples')).filter((name) =>
  name.endsWith('.yml')
)

/** Throws where a workflow says nothing of its permissions: what GitHub gives then depends on the repository. */
export function readWorkflow(file: string): Workflow {
  const text = readFileSync(join(root, 'workflows-examples', file), 'utf8')
  const { permissions, jobs } = parse(text) as Parsed
  const read = Object.entries(jobs).map(([id, job]): [string, WorkflowJob] => {
    const given = job.permissions ?? permissions
    if (given === undefined) throw new Error(`${file} says nothing of the permissions of the job ${id}`)
    const { environment } = job
    return [
      id,
      {
        permissions: given,
        environment: typeof environment === 'object' ? environment.name : environment,
        uses: job.steps.flatMap(({ uses, with: inputs = {} }) => (uses === undefined ? [] : [useOf(uses, inputs)]))
      }
    ]
  })
  return { file, text, jobs: new Map(read) }
}

function useOf(uses: string, inputs: object): Use {
  const [, repository, path = '', ref] = /^([\w.-]+\/[\w.-]+)(?:\/([^@]+))?@(.+)$/.exec(uses) ?? []
  if (repository === undefined || ref === undefined) throw new Error(`the tests know no action like ${uses}`)
  return { repository, path, ref, inputs: Object.keys(inputs) }
}
