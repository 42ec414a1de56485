import { Worker } from 'node:worker_threads'
import type { Finished, FromWorker, Job, ModuleLogLine, ToWorker } from './protocol.ts'

/** A worker that does jobs one after another, each within a deadline. */
export class WorkerHandle {
  readonly #worker: Worker
  readonly #deadline: number
  /** Gets log lines, before the job that they belong to is done. */
  onLog: (line: ModuleLogLine) => void = () => undefined
  readonly #waiting: Waiting[] = []
  #current: readonly Waiting[] = []
  #timer: NodeJS.Timeout | undefined
  #ended: Error | undefined

  /** `deadline`: time for one job, in milliseconds. */
  constructor(script: string, deadline: number) {
    this.#deadline = deadline
    this.#worker = new Worker(script, { eval: true, env: {}, execArgv: [], stdin: false })
    this.#worker.unref()
    this.#worker.on('message', (message: FromWorker) => {
      if (message.kind === 'log') return this.onLog(message)
      this.#settle(({ resolve }, i) => resolve(message.finished[i] as Finished))
    })
    this.#worker.on('error', (error) => this.#end(error))
    this.#worker.on('exit', () => this.#end(new JobCut('the worker ended')))
  }

  get hasEnded(): boolean {
    return this.#ended !== undefined
  }

  get isIdle(): boolean {
    return this.#current.length === 0 && !this.hasEnded
  }

  /**
   * Calls of reducers that wait are sent together, which saves most of what a call costs, unless one is to be `alone`.
   * `onStart` is called when the job is sent. Throws a JobCut when the worker ended before the job did, at the latest
   * at the deadline.
   */
  run(job: Job, onStart: () => void = () => undefined, alone = job.kind !== 'reducer'): Promise<Finished> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ job, onStart, alone, resolve, reject })
      if (this.#current.length === 0) this.#next()
    })
  }

  async stop(): Promise<void> {
    this.#ended ??= new JobCut('the worker was stopped')
    await this.#worker.terminate()
  }

  #next(): void {
    if (this.#ended !== undefined) {
      const ended = new JobCut(this.#ended.message, true)
      for (const { reject } of this.#waiting.splice(0)) reject(ended)
    }
    if (this.#waiting.length === 0) return
    const firstAlone = this.#waiting.findIndex(({ alone }) => alone)
    const together = firstAlone < 0 ? mostTogether : Math.max(1, Math.min(firstAlone, mostTogether))
    this.#current = this.#waiting.splice(0, together)
    for (const { onStart } of this.#current) onStart()
    this.#timer = setTimeout(() => this.#end(new JobCut(`it did not end within ${this.#deadline} ms`)), this.#deadline)
    this.#worker.postMessage(this.#current.map(({ job }) => job) satisfies ToWorker)
  }

  #end(error: Error): void {
    this.#ended ??= error
    const why = this.#current.length > 1 ? new JobCut(error.message, true) : error
    this.#settle(({ reject }) => reject(why))
    void this.#worker.terminate()
  }

  #settle(finish: (current: Waiting, position: number) => void): void {
    clearTimeout(this.#timer)
    const current = this.#current
    this.#current = []
    current.forEach(finish)
    this.#next()
  }
}

const mostTogether = 64

type Waiting = {
  readonly job: Job
  readonly onStart: () => void
  readonly alone: boolean
  readonly resolve: (finished: Finished) => void
  readonly reject: (error: Error) => void
}

/** A job that did not come to its end: nothing of it was committed. */
export class JobCut extends Error {
  override readonly name = 'JobCut'
  /** Whether another job may have been at fault: then it can be done again, alone. */
  readonly isOthersFault: boolean

  constructor(message: string, isOthersFault = false) {
    super(message)
    this.isOthersFault = isOthersFault
  }
}
