import { workerScript } from './worker-bundle.ts'
import { JobCut, WorkerHandle } from './worker-handle.ts'

/** Where databases get the workers that run their modules. Starting one takes longer than what most do. */
export class WorkerPool {
  readonly #deadline: number
  readonly #idle: WorkerHandle[] = []
  readonly #all = new Set<WorkerHandle>()
  #isClosed = false

  /** `deadline`: time for one job, in milliseconds. */
  constructor(deadline: number) {
    this.#deadline = deadline
  }

  /** Throws a JobCut once the pool is closed. */
  async take(): Promise<WorkerHandle> {
    const idle = this.#isClosed ? undefined : this.#idle.pop()
    if (idle !== undefined) return idle
    const script = await workerScript()
    if (this.#isClosed) throw new JobCut('the server was closed')
    const worker = new WorkerHandle(script, this.#deadline)
    this.#all.add(worker)
    return worker
  }

  /** Takes a worker back from a database. One that is busy or has ended is of no more use. */
  async giveBack(worker: WorkerHandle): Promise<void> {
    if (this.#isClosed || this.#idle.length >= mostIdle || !worker.isIdle) {
      this.#all.delete(worker)
      await worker.stop()
      return
    }
    worker.onLog = () => undefined
    await worker.run({ kind: 'forget' })
    this.#idle.push(worker)
  }

  /** Ends all workers at once, whatever they do: what they have not committed is lost. */
  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all([...this.#all].map((worker) => worker.stop()))
  }
}

const mostIdle = 3
