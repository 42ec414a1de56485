import { Worker } from 'node:worker_threads'
import type { Done, FromWorker, Job } from './protocol.ts'

/** A worker that does jobs one after another, each within a deadline. */
export class WorkerHandle {
  readonly #worker: Worker
  readonly #deadline: number
  /** Gets everything that the worker sends, before the job it belongs to is done. */
  onMessage: (message: FromWorker) => void = () => undefined
  #last: Promise<unknown> = Promise.resolve()
  #pending = 0
  #ended: Error | undefined

  /** `deadline`: time for one job, in milliseconds. */
  constructor(script: string, deadline: number) {
    this.#deadline = deadline
    this.#worker = new Worker(script, { eval: true, env: {}, execArgv: [], stdin: false })
    this.#worker.unref()
    this.#worker.on('error', () => undefined)
  }

  get hasEnded(): boolean {
    return this.#ended !== undefined
  }

  get isIdle(): boolean {
    return this.#pending === 0 && !this.hasEnded
  }

  /** Throws a JobCut when the worker ended before the job did, at the latest at the deadline. */
  run(job: Job): Promise<Done> {
    this.#pending += 1
    const result = this.#last.then(() => this.#runNow(job))
    this.#last = result
      .catch(() => undefined)
      .finally(() => {
        this.#pending -= 1
      })
    return result
  }

  async stop(): Promise<void> {
    this.#ended ??= new JobCut('the worker was stopped')
    await this.#worker.terminate()
  }

  #runNow(job: Job): Promise<Done> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended)
    return new Promise((resolve, reject) => {
      const late = new JobCut(`it did not end within ${this.#deadline} ms`)
      const timer = setTimeout(() => end(late), this.#deadline)
      const end = (error: Error) => {
        this.#ended ??= error
        settle(() => reject(error))
        void this.#worker.terminate()
      }
      const onMessage = (message: FromWorker) => {
        this.onMessage(message)
        if (message.kind === 'done') settle(() => resolve(message.done))
      }
      const onExit = () => end(new JobCut('the worker ended'))
      const settle = (finish: () => void) => {
        clearTimeout(timer)
        this.#worker.off('message', onMessage).off('error', end).off('exit', onExit)
        finish()
      }
      this.#worker.on('message', onMessage).on('error', end).on('exit', onExit)
      this.#worker.postMessage(job)
    })
  }
}

/** A job that did not come to its end: nothing of it was committed. */
export class JobCut extends Error {
  override readonly name = 'JobCut'
}
