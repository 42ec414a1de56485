import { Worker } from 'node:worker_threads'
import type { Done, FromWorker, Job } from './protocol.ts'
import { workerScript } from './worker-bundle.ts'

/** A worker that does jobs one after another, each within a deadline. */
export class WorkerHandle {
  readonly #worker: Worker
  /** Gets everything that the worker sends, before the job it belongs to is done. */
  onMessage: (message: FromWorker) => void = () => undefined
  #last: Promise<unknown> = Promise.resolve()
  #ended: Error | undefined

  static async start(): Promise<WorkerHandle> {
    return new WorkerHandle(await workerScript())
  }

  private constructor(script: string) {
    this.#worker = new Worker(script, { eval: true, env: {}, execArgv: [], stdin: false })
    this.#worker.unref()
    this.#worker.on('error', () => undefined)
  }

  get hasEnded(): boolean {
    return this.#ended !== undefined
  }

  /** Throws a JobCut when the worker ended before the job did; `milliseconds` is when it is made to. */
  run(job: Job, milliseconds: number): Promise<Done> {
    const result = this.#last.then(() => this.#runNow(job, milliseconds))
    this.#last = result.catch(() => undefined)
    return result
  }

  async stop(): Promise<void> {
    this.#ended ??= new JobCut('the worker was stopped')
    await this.#worker.terminate()
  }

  #runNow(job: Job, milliseconds: number): Promise<Done> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => end(new JobCut(`it did not end within ${milliseconds} ms`)), milliseconds)
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
