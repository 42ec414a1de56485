import { workerScript } from './worker-bundle.ts'
import { WorkerHandle } from './worker-handle.ts'

/** Where databases get the workers that run their modules. Starting one takes longer than what most do. */
export class WorkerPool {
  readonly #deadline: number
  readonly #idle: WorkerHandle[] = []

  /** `deadline`: time for one job, in milliseconds. */
  constructor(deadline: number) {
    this.#deadline = deadline
  }

  async take(): Promise<WorkerHandle> {
    return this.#idle.pop() ?? new WorkerHandle(await workerScript(), this.#deadline)
  }

  /** Takes a worker back from a database. One that is busy or has ended is of no more use. */
  async giveBack(worker: WorkerHandle): Promise<void> {
    if (this.#idle.length >= mostIdle || !worker.isIdle) return worker.stop()
    worker.onMessage = () => undefined
    await worker.run({ kind: 'forget' })
    this.#idle.push(worker)
  }

  async close(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map((worker) => worker.stop()))
  }
}

const mostIdle = 3
