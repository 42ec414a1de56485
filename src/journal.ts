import type { Clock } from './clock.ts'
import { messageOf } from './errors.ts'

/** A step of a timeline, done or failed. */
export type Step = {
  readonly name: string
  readonly detail: string
  readonly outcome: 'ok' | 'failed'
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  readonly milliseconds: number
}

/** Tells someone what happens while it happens. */
export type Narrator = {
  /** A step begins. */
  begin(step: string): void
  /** A step ended; `detail` is one line. */
  end(step: Step): void
  /** Something that belongs to no step. */
  tell(text: string): void
  warn(text: string): void
}

/** Keeps the timeline of a piece of work and tells it to a narrator. */
export type Journal = {
  readonly steps: readonly Step[]
  /** Does `work` as a step; its `detail` says what came of it. A thrown error is recorded and thrown on. */
  step<T>(name: string, work: (step: StepNotes) => Promise<T>): Promise<T>
  tell(text: string): void
  warn(text: string): void
}

export type StepNotes = {
  /** Says what came of the step; the last one said stands. */
  detail(text: string): void
  /** Marks the step as failed although it throws nothing. */
  fail(text: string): void
}

export function startJournal(clock: Clock, narrator: Narrator): Journal {
  const steps: Step[] = []
  return {
    steps,
    tell: narrator.tell,
    warn: narrator.warn,
    async step(name, work) {
      const startedAt = clock.now()
      let detail = ''
      let outcome: Step['outcome'] = 'ok'
      const notes: StepNotes = {
        detail: (text) => {
          detail = text
        },
        fail: (text) => {
          outcome = 'failed'
          detail = text
        }
      }
      narrator.begin(name)
      try {
        return await work(notes)
      } catch (error) {
        notes.fail(messageOf(error))
        throw error
      } finally {
        const step = { name, detail, outcome, startedAt, milliseconds: clock.now() - startedAt }
        steps.push(step)
        narrator.end(step)
      }
    }
  }
}
