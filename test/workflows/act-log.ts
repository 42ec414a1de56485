/** A line of what act writes with `--json`: only what is used of it. */
export type ActLine = {
  /** Masked, as GitHub shows it. */
  readonly msg: string
  readonly level: string
  readonly jobID?: string
  readonly step?: string
  readonly stage?: 'Pre' | 'Main' | 'Post'
  readonly stepResult?: StepResult
  readonly jobResult?: 'success' | 'failure'
  /** Whether a program printed it. */
  readonly raw_output?: boolean
  /** Of a workflow command. */
  readonly command?: string
  /** Of a summary, as it was written. */
  readonly content?: string
}

export type StepResult = 'success' | 'failure' | 'skipped'

/** What came of a run. */
export type Outcome = {
  /** By the ids of the jobs; of a matrix the worst. act has no result `cancelled`: a job that is cut off has failed. */
  readonly jobs: Readonly<Record<string, StepResult>>
  readonly steps: readonly {
    readonly job: string
    /** Its name, or what it uses or runs. */
    readonly step: string
    readonly stage: 'Pre' | 'Main' | 'Post'
    readonly result: StepResult
  }[]
  readonly annotations: readonly { readonly job: string; readonly level: string; readonly message: string }[]
  /** Markdown, in the order in which steps wrote it. */
  readonly summaries: readonly { readonly job: string; readonly text: string }[]
  /** What a page of GitHub shows, each line after the id of its job. */
  readonly log: string
}

/** A line of act's output; one that is no JSON is a message of its own. */
export function readLine(text: string): ActLine {
  try {
    return JSON.parse(text) as ActLine
  } catch {
    return { msg: text, level: 'error' }
  }
}

export function outcomeOf(jobs: Iterable<string>, lines: readonly ActLine[]): Outcome {
  return {
    jobs: Object.fromEntries([...jobs].map((id) => [id, resultOf(lines.filter(({ jobID }) => jobID === id))])),
    steps: lines.flatMap(({ jobID: job = '', step = '', stage, stepResult: result }) =>
      stage !== undefined && result !== undefined ? [{ job, step, stage, result }] : []
    ),
    annotations: lines.flatMap(({ jobID: job = '', command = '', msg }) =>
      ['error', 'warning', 'notice'].includes(command)
        ? [{ job, level: command, message: unescaped(msg.replace(/^.*?::\w+(?: [^:]*)?::/s, '')) }]
        : []
    ),
    summaries: lines.flatMap(({ jobID: job = '', command, content: text = '' }) =>
      command === 'summary' ? [{ job, text }] : []
    ),
    log: lines.map(({ jobID, msg }) => `${jobID ?? 'act'}: ${msg.trimEnd()}`).join('\n')
  }
}

/** A job that is not run says nothing. */
function resultOf(lines: readonly ActLine[]): StepResult {
  const results = lines.map(({ jobResult }) => jobResult)
  if (results.includes('failure')) return 'failure'
  return results.includes('success') ? 'success' : 'skipped'
}

/** https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts */
function unescaped(text: string): string {
  return text.trimEnd().replaceAll('%0A', '\n').replaceAll('%0D', '\r').replaceAll('%25', '%')
}
