import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { describeModule } from '../../src/module/describe.ts'
import { moduleFromBytes } from '../../src/module/load.ts'
import { fixtureModule } from '../fixtures.ts'
import { childrenOf } from '../runner/child-processes.ts'

const encode = (text: string) => new TextEncoder().encode(text)
const hooks = (body: string) => `import { moduleHooks } from 'spacetime:sys@2.0'
  export default { [moduleHooks]: () => ({ __describe_module__() { ${body} } }) }`

/** The kernel's own account of the most that a process has had: VmHWM of https://man7.org/linux/man-pages/man5/proc_pid_status.5.html */
const onLinux = process.platform === 'linux' ? test : test.skip

describe('what a hostile module takes while it is described (on Linux, where that can be asked)', () => {
  onLinux.each<[title: string, bytes: Uint8Array, kind: 'wasm' | 'js']>([
    ['WebAssembly that grows', fixtureModule('hostile/grow.wasm'), 'wasm'],
    ['WebAssembly that never ends', fixtureModule('hostile/loop.wasm'), 'wasm'],
    ['objects in JavaScript', encode(hooks('for (const hog = []; ; ) hog.push(new Array(1e5).fill({}))')), 'js'],
    ['texts in JavaScript', encode(hooks("let text = 'x'; for (;;) text = (text + text).slice(1)")), 'js']
  ])('%s: less than 512 MiB, and an error in time', async (_, bytes, kind) => {
    const watch = new MemoryWatch()
    const started = performance.now()
    await expect(describeModule(moduleFromBytes(bytes, kind), { timeout: 3_000 })).rejects.toThrow(/can't be described/)
    expect(performance.now() - started).toBeLessThan(3_000 + 10_000)
    const peak = watch.stop()
    expect(peak).toBeGreaterThan(20)
    expect(peak).toBeLessThan(512)
  })
})

/** Looks every other millisecond at the memory of this process's children. */
class MemoryWatch {
  #peak = 0
  readonly #timer = setInterval(() => {
    for (const child of childrenOf(process.pid)) this.#peak = Math.max(this.#peak, mostMemoryOf(child))
  }, 2)

  /** In MiB. */
  stop(): number {
    clearInterval(this.#timer)
    return this.#peak
  }
}

function mostMemoryOf(pid: number): number {
  try {
    const [, kibibytes] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? []
    return Number(kibibytes ?? 0) / 1024
  } catch {
    return 0
  }
}
