import { Worker } from 'node:worker_threads'
import type { FromWorker, Job } from './protocol.ts'

/** A job that came to its end: how, and what it committed. */
export type Finished = FromWorker & { readonly kind: 'done' }

/** A worker that does jobs one after another, each within a deadline. */
export class WorkerHandle {
  readonly #worker: Worker
  readonly #deadline: number
  /** Gets log lines, before the job that they belong to is done. */
  onLog: (line: FromWorker & { readonly kind: 'log' }) => void = () => undefined
  readonly #waiting: Waiting[] = []
  #current: (Waiting & { readonly timer: NodeJS.Timeout }) | undefined
  #ended: Error | undefined

  /** `deadline`: time for one job, in milliseconds. */
  constructor(script: string, deadline: number) {
    this.#deadline = deadline
    this.#worker = new Worker(script, { eval: true, env: {}, execArgv: [], stdin: false })
    this.#worker.unref()
    this.#worker.on('message', (message: FromWorker) => {
      if (message.kind === 'log') this.onLog(message)
      else this.#settle(({ resolve }) => resolve(message))
    })
    this.#worker.on('error', (error) => this.#end(error))
    this.#worker.on('exit', () => this.#end(new JobCut('the worker ended')))
  }

  get hasEnded(): boolean {
    return this.#ended !== undefined
  }

  get isIdle(): boolean {
    return this.#current === undefined && !this.hasEnded
  }

  /** Throws a JobCut when the worker ended before the job did, at the latest at the deadline. */
  run(job: Job): Promise<Finished> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ job, resolve, reject })
      if (this.#current === undefined) this.#next()
    })
  }

  async stop(): Promise<void> {
    this.#ended ??= new JobCut('the worker was stopped')
    await this.#worker.terminate()
  }

  #next(): void {
    const ended = this.#ended
    if (ended !== undefined) for (const { reject } of this.#waiting.splice(0)) reject(ended)
    const next = this.#waiting.shift()
    if (next === undefined) return
    const late = new JobCut(`it did not end within ${this.#deadline} ms`)
    const timer = setTimeout(() => this.#end(late), this.#deadline)
    this.#current = { ...next, timer }
    this.#worker.postMessage(next.job)
  }

  #end(error: Error): void {
    this.#ended ??= error
    this.#settle(({ reject }) => reject(error))
    void this.#worker.terminate()
  }

  #settle(finish: (current: Waiting) => void): void {
    const current = this.#current
    this.#current = undefined
    if (current !== undefined) {
      clearTimeout(current.timer)
      finish(current)
    }
    this.#next()
  }
}

type Waiting = {
  readonly job: Job
  readonly resolve: (finished: Finished) => void
  readonly reject: (error: Error) => void
}

/** A job that did not come to its end: nothing of it was committed. */
export class JobCut extends Error {
  override readonly name = 'JobCut'
}
