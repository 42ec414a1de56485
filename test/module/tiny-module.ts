/** What a tiny WebAssembly module of SpacetimeDB does; everything is text that it logs or writes. */
export type TinyModule = {
  /** Logged as a panic, after which it traps. */
  readonly panics?: string
  /** What `__setup__` writes to its sink when it fails. */
  readonly setupFails?: string
  /** A function of the host, without parameters, that it calls to describe itself. */
  readonly calls?: string
}

/** Assembles a module that exports what a server needs (https://webassembly.github.io/spec/core/binary/). */
export function tinyModule({ panics, setupFails, calls }: TinyModule): Uint8Array {
  const text = panics ?? setupFails ?? ''
  const writesText = [...constant(1), ...constant(textAt), ...constant(lengthAt), ...call(0), drop]
  const logsText = [
    ...[101, 0, 0, 0, 0, 0].flatMap(constant),
    ...constant(textAt),
    ...constant(text.length),
    ...call(1),
    unreachable
  ]
  const describes = panics !== undefined ? logsText : calls !== undefined ? call(2) : []
  const length = [text.length, 0, 0, 0]
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [
      type([i32, i32, i32], [i32]),
      type(Array(8).fill(i32), []),
      type([], []),
      type([i32], [i32]),
      type([i32], [])
    ]),
    ...section(2, [
      [...name('spacetime_10.0'), ...name('bytes_sink_write'), 0, 0],
      [...name('spacetime_10.0'), ...name('console_log'), 0, 1],
      [...name('spacetime_10.0'), ...name(calls ?? 'nothing'), 0, 2]
    ]),
    ...section(3, [[3], [4], [3]]),
    ...section(5, [[0, 1]]),
    ...section(7, [
      [...name('memory'), 2, 0],
      [...name('__setup__'), 0, 3],
      [...name('__describe_module__'), 0, 4],
      [...name('__call_reducer__'), 0, 5]
    ]),
    ...section(10, [
      body(setupFails === undefined ? constant(0) : [...writesText, ...constant(1)]),
      body(describes),
      body(constant(0))
    ]),
    ...section(11, [[0, ...constant(lengthAt), end, ...bytes([...length, ...new TextEncoder().encode(text)])]])
  ])
}

/** Parts of WebAssembly, for tests that make other modules of them. */
export const i32 = 0x7f
const unreachable = 0x00
export const end = 0x0b
export const drop = 0x1a
const lengthAt = 0
const textAt = 4

export function section(id: number, entries: readonly number[][]): number[] {
  return [id, ...bytes([...unsigned(entries.length), ...entries.flat()])]
}

export function type(parameters: readonly number[], results: readonly number[]): number[] {
  return [0x60, ...bytes(parameters), ...bytes(results)]
}

export function body(code: readonly number[]): number[] {
  return bytes([0, ...code, end])
}

export function constant(value: number): number[] {
  const digits: number[] = []
  let rest = value
  for (; rest >= 64; rest >>= 7) digits.push((rest & 0x7f) | 0x80)
  return [0x41, ...digits, rest]
}

export function call(index: number): number[] {
  return [0x10, index]
}

export function name(text: string): number[] {
  return bytes([...new TextEncoder().encode(text)])
}

export function bytes(content: readonly number[]): number[] {
  return [...unsigned(content.length), ...content]
}

function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >> 7)]
}
