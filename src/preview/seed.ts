import { ConfigurationError } from '../errors.ts'
import type { Schema } from '../module/schema.ts'
import { copiedValues } from '../rehearsal/copied-values.ts'
import { fillAsStep, timeToFill } from '../rehearsal/fill.ts'
import { callProblems } from '../rehearsal/plan-copies.ts'
import type { Seed } from '../rehearsal/seed-file.ts'
import type { DeployRequest, DeployTools } from '../release/work.ts'

/**
 * Looks at a seed before anything is made. Throws a `ConfigurationError` for what can't be done with this module, or in a
 * preview at all.
 */
export function insistOnSeed(seed: Seed, schema: Schema): void {
  const copies = seed.entries.flatMap((entry) => (isCopy(entry.kind) ? [{ ...entry.place, message: noCopies }] : []))
  const problems = [...copies, ...callProblems(seed, schema, 'The module')]
  if (problems.length === 0) return
  const lines = problems.map(({ line, column, message }) => `${seed.path}:${line}:${column}: ${message}`)
  throw new ConfigurationError(lines.join('\n'))
}

const noCopies =
  'A preview is filled by `call` and `sql` only: rows of a live database do not belong where anybody can read them.'

function isCopy(kind: Seed['entries'][number]['kind']): boolean {
  return kind === 'copy' || kind === 'copy-all'
}

/** Fills a new preview with a seed. `onEnd` is told why that did not come to its end, or nothing when it did. */
export function filler(
  seed: Seed,
  database: string,
  { server, clock, cancelled }: Pick<DeployTools, 'server' | 'clock' | 'cancelled'>,
  onEnd: (obstacle: string | undefined) => void
): NonNullable<DeployRequest['fill']> {
  return async (journal, schema) => {
    const bounds = timeToFill(seed, { clock, cancelled })
    const place = {
      server,
      name: 'The server',
      database,
      live: undefined,
      schema,
      copied: copiedValues(schema),
      bounds
    }
    const filling = await fillAsStep(seed, place, journal)
    if (filling.kind === 'filled') {
      onEnd(undefined)
      return { kind: 'healthy' }
    }
    const isCancelled = filling.kind === 'cancelled'
    const reason = isCancelled
      ? 'The job was cancelled before the preview was filled.'
      : `The preview could not be filled.\n${filling.reason}`
    onEnd(reason)
    return { kind: isCancelled ? 'cancelled' : 'unhealthy', reason }
  }
}
