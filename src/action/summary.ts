import { appendFile, stat } from 'node:fs/promises'
import { cutMarkdown } from '../cut-markdown.ts'
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
    // An empty line between, or what comes after an HTML block would be shown as a part of it.
    const separator = used === 0 ? '' : '\n'
    await appendFile(path, `${separator}${cutToBytes(markdown, summaryLimit - used - separator.length)}`)
  } catch (thrown) {
    warn('No job summary', `The summary could not be written: ${messageOf(thrown)}`)
  }
}

/** A Markdown text of at most so many bytes, cut with a note. */
export function cutToBytes(markdown: string, limit: number): string {
  return cutMarkdown(markdown, { limit, sizeOf: Buffer.byteLength, note: cutNote })
}

const cutNote = '_The rest was cut: a summary can hold no more._'
