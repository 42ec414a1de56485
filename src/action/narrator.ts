import type { Narrator } from '../journal.ts'
import { warn } from './annotations.ts'
import { log } from './log.ts'

/** Tells the step's log what happens; warnings are titled with the action's name. */
export function logNarrator(action: string): Narrator {
  return {
    begin: (step) => log(`${step} …`),
    end: ({ outcome, detail, milliseconds }) => {
      const mark = outcome === 'ok' ? '✓' : '✗'
      log(`  ${mark} ${detail || 'done'} (${milliseconds} ms)`)
    },
    tell: log,
    warn: (text) => warn(action, text)
  }
}
