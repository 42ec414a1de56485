import { encodeRawModuleDef } from '../../src/module/raw-module-def.ts'
import type { RawSection } from '../../src/module/raw-module-def-v10.ts'
import { body, bytes, call, constant, drop, end, i32, name, section, type } from '../module/tiny-module.ts'

/**
 * Assembles a module that declares these sections. Its reducers fail with a text. Its HTTP handlers answer with a head
 * in BSATN, and with the request's head and body as the body. `admits` is an identity for which reducers succeed.
 */
export function spokenModule(
  sections: readonly RawSection[],
  {
    reducersFail = '',
    responseHead = new Uint8Array(),
    admits
  }: { reducersFail?: string; responseHead?: Uint8Array; admits?: string }
): Uint8Array {
  const memory: number[] = Array(16).fill(0)
  const place = (content: Uint8Array) => {
    const at = memory.length
    memory.push(...word(content.length), ...content)
    return at
  }
  // The last digits of an identity are the sender's first word.
  const admitted = admits === undefined ? undefined : place(new Uint8Array(Buffer.from(admits, 'hex').reverse()))
  const leaveAdmitted =
    admitted === undefined
      ? []
      : [...constant(admitted + 4), ...load64, ...local(1), equal64, ...ifSo, ...constant(0), leave, end]
  const [description, failure, head] = [
    encodeRawModuleDef({ version: 10, def: { sections } }),
    new TextEncoder().encode(reducersFail),
    responseHead
  ].map(place) as [number, number, number]
  const write = (sink: number, at: number) => [...local(sink), ...constant(at + 4), ...constant(at), ...call(0), drop]
  const copy = (source: number, sink: number) => [
    ...[...constant(bufferAt), ...constant(bufferSize), ...store],
    ...[...local(source), ...constant(bufferAt + 4), ...constant(bufferAt), ...call(1), drop],
    ...write(sink, bufferAt)
  ]
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [
      type([i32, i32, i32], [i32]),
      type([i32], []),
      type([i32, ...Array(7).fill(i64), i32, i32], [i32]),
      type([i32, i64, i32, i32, i32, i32], [i32])
    ]),
    ...section(2, [
      [...name('spacetime_10.0'), ...name('bytes_sink_write'), 0, 0],
      [...name('spacetime_10.0'), ...name('bytes_source_read'), 0, 0]
    ]),
    ...section(3, [[1], [2], [3]]),
    ...section(5, [[0, 2]]),
    ...section(7, [
      [...name('memory'), 2, 0],
      [...name('__describe_module__'), 0, 2],
      [...name('__call_reducer__'), 0, 3],
      [...name('__call_http_handler__'), 0, 4]
    ]),
    ...section(10, [
      body(write(0, description)),
      body([...leaveAdmitted, ...write(9, failure), ...constant(1)]),
      body([...copy(2, 5), ...copy(3, 5), ...write(4, head), ...constant(0)])
    ]),
    ...section(11, [[0, ...constant(0), end, ...bytes(memory)]])
  ])
}

const i64 = 0x7e
/** Of a 32-bit word; its address and value are on the stack. */
const store = [0x36, 2, 0]
const load64 = [0x29, 0, 0]
const equal64 = 0x51
const ifSo = [0x04, 0x40]
const leave = 0x0f
const bufferAt = 0x10000
const bufferSize = 0x8000

function local(index: number): number[] {
  return [0x20, index]
}

function word(value: number): number[] {
  return [...new Uint8Array(Uint32Array.of(value).buffer)]
}
