import { code, escapeMarkdown } from '../../markdown.ts'
import { type Change, changeText } from '../../migration/change.ts'
import type { RecordedRelease } from '../ledger/ledger.ts'

/**
 * What brings the earlier behaviour back where the earlier module can't be published over the live one: its code, with what
 * blocks left as it is live, as a release of its own. Markdown list items.
 */
export function rollForward(changes: readonly Change[], release: RecordedRelease | undefined): string[] {
  const blocking = changes.filter(({ verdict }) => verdict === 'manual')
  const commit = release?.record.commit
  const start = commit === undefined ? 'the sources of that module' : `commit ${code(commit.slice(0, 12))}`
  const shown = blocking.slice(0, mostShown)
  const more = blocking.length - shown.length
  return [
    `- Roll forward: take ${start}, and in it leave as it is live what stands in the way:`,
    ...shown.map((change) => `  - ${leaveAsLive(change)}`),
    ...(more > 0 ? [`  - and ${more} more, in the plan below.`] : []),
    ...(blocking.length === 0 ? ["  - what the server's own plan names, below."] : []),
    '- Publish what comes out with `deploy`. It is a release like any other: nobody’s data goes, and the rest of the code is the earlier one.'
  ]
}

const mostShown = 20

/** `before` is what is live, `after` what the earlier module has. */
function leaveAsLive(change: Change): string {
  const { before = '', after = '', subject } = change
  const table = code(subject.name)
  switch (change.kind) {
    case 'column-removed':
      return `table ${table}: keep the column ${code(change.column)}${before && ` (${code(before)})`}. The earlier code need not use it, but must give it a value when it inserts.`
    case 'column-added':
      return `table ${table}: leave the column ${code(change.column)} out, or put it last with a default.`
    case 'columns-moved':
      return `table ${table}: keep the columns in the order ${code(before)}.`
    case 'column-type-changed':
      return `table ${table}: keep ${code(change.column)} a ${code(before)}; it was a ${code(after)}.`
    case 'table-event-changed':
      return `table ${table}: keep it an ${before === 'event table' ? 'event' : 'ordinary'} table.`
    default: {
      const live = before === '' ? '' : `: ${code(before)}`
      return `leave out that ${escapeMarkdown(changeText(change))}; keep what is live${live}.`
    }
  }
}
