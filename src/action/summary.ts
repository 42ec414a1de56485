import { appendFile, stat } from 'node:fs/promises'
import { messageOf } from '../errors.ts'
import { warn } from './annotations.ts'
import type { Environment } from './inputs.ts'

/** GitHub refuses a step's summary of more than 1 MiB as a whole; this leaves room for what else the step writes. */
const summaryLimit = 1_000_000

/**
 * Adds Markdown to the summary of the job, where there is one. A report never fails what it reports: when it can't
 * be written, there is a warning.
 */
export async function writeSummary(markdown: string, environment: Environment): Promise<void> {
  const path = environment.GITHUB_STEP_SUMMARY
  if (!path) return
  try {
    const used = await stat(path).then(
      ({ size }) => size,
      () => 0
    )
    await appendFile(path, cutToBytes(markdown, summaryLimit - used))
  } catch (thrown) {
    warn('No job summary', `The summary could not be written: ${messageOf(thrown)}`)
  }
}

/** A Markdown text of at most so many bytes, whole lines, with a note where it was cut. */
export function cutToBytes(markdown: string, limit: number): string {
  const bytes = Buffer.from(markdown.endsWith('\n') ? markdown : `${markdown}\n`)
  if (bytes.length <= limit) return bytes.toString()
  const room = limit - Buffer.byteLength(`\n${fence}\n${cutNote}`)
  if (room < 0) return ''
  const kept = bytes.subarray(0, bytes.lastIndexOf('\n', room - 1) + 1).toString()
  return `${kept}${hasOpenFence(kept) ? `${fence}\n` : ''}\n${cutNote}`
}

const fence = '```'
const cutNote = '_The rest was cut: a summary can hold no more._\n'

function hasOpenFence(markdown: string): boolean {
  return (markdown.match(/^\s*```/gm) ?? []).length % 2 === 1
}
