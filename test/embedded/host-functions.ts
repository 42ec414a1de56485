import type { Datastore } from './datastore.ts'
import { errno, HostError } from './errno.ts'
import type { Handles } from './handles.ts'
import { ModuleMemory } from './module-memory.ts'
import { type Range, scanRange } from './scan.ts'
import { binary, type Row, type Table } from './table.ts'

/** What the host functions work on. The datastore is there once the module has said what it declares. */
export type Host = {
  readonly identity: Uint8Array
  datastore: Datastore | undefined
  memory(): Uint8Array
  /** Writes to the module's log. */
  log(record: ModuleLogRecord): void
  /** The claims of the token that a connection came with, as JSON text. */
  claimsOf(connection: Uint8Array): string | undefined
}

export type ModuleLogRecord = {
  readonly level: number
  readonly message: string
  readonly target?: string | undefined
  readonly file?: string | undefined
  readonly line?: number | undefined
}

/** Functions by module and name, as WebAssembly takes them. */
export type HostFunctions = Record<string, Record<string, (...args: never[]) => unknown>>

/**
 * The functions `spacetime_10.0` to `10.5` that a module can import. Not here: HTTP requests of procedures and
 * immediate schedules (docs/server-behaviour.md, "Host functions").
 */
export function hostFunctions(host: Host, handles: () => Handles): HostFunctions {
  const memory = new ModuleMemory(host.memory)
  const store = () => {
    if (host.datastore === undefined) throw new HostError(errno.notInTransaction)
    return host.datastore
  }
  const iterate = (out: number, rows: readonly Row[]) => {
    const { iterators } = handles()
    memory.writeU32(
      out,
      handles().add(
        iterators,
        rows.map((row) => row.bytes)
      )
    )
  }
  const remove = (out: number, table: Table, rows: readonly Row[]) => {
    for (const row of rows) store().delete(table, row)
    memory.writeU32(out, rows.length)
  }
  const writeGenerated = (pointer: number, lengthPointer: number, row: Row, generated: readonly number[]) => {
    const bytes = Buffer.from(generated.map((column) => row.columns[column]).join(''), 'latin1')
    memory.write(pointer, bytes)
    memory.writeU32(lengthPointer, bytes.length)
  }
  const range = (
    index: number,
    ...[prefix, prefixLength, prefixColumns, start, startLength, end, endLength]: number[]
  ) =>
    scanRange(store().index(index), {
      prefix: prefixColumns === 0 ? new Uint8Array() : memory.read(prefix, prefixLength),
      prefixColumns: prefixColumns ?? 0,
      start: memory.read(start, startLength),
      end: memory.read(end, endLength)
    } satisfies Range)
  const scanRangeFunction = answering((...args: number[]) =>
    iterate(args[8] ?? 0, range(args[0] ?? 0, ...args.slice(1, 8)))
  )
  const deleteRangeFunction = answering((...args: number[]) =>
    remove(args[8] ?? 0, store().index(args[0] ?? 0).table, range(args[0] ?? 0, ...args.slice(1, 8)))
  )
  const point = (index: number, pointer: number, length: number) =>
    store()
      .index(index)
      .point(binary(memory.read(pointer, length)))

  return {
    'spacetime_10.0': {
      table_id_from_name: answering((name: number, length: number, out: number) =>
        memory.writeU32(out, store().tableId(memory.text(name, length)))
      ),
      index_id_from_name: answering((name: number, length: number, out: number) =>
        memory.writeU32(out, store().indexId(memory.text(name, length)))
      ),
      datastore_table_row_count: answering((table: number, out: number) =>
        memory.writeU64(out, BigInt(store().table(table).rows.size))
      ),
      datastore_table_scan_bsatn: answering((table: number, out: number) =>
        iterate(out, [...store().table(table).rows.values()])
      ),
      datastore_index_scan_range_bsatn: scanRangeFunction,
      datastore_btree_scan_bsatn: scanRangeFunction,
      datastore_delete_by_index_scan_range_bsatn: deleteRangeFunction,
      datastore_delete_by_btree_scan_bsatn: deleteRangeFunction,
      datastore_insert_bsatn: answering((table: number, pointer: number, lengthPointer: number) => {
        const bytes = memory.read(pointer, memory.readU32(lengthPointer)).slice()
        const { row, generated } = store().insert(store().table(table), bytes)
        writeGenerated(pointer, lengthPointer, row, generated)
      }),
      datastore_update_bsatn: answering((table: number, index: number, pointer: number, lengthPointer: number) => {
        const bytes = memory.read(pointer, memory.readU32(lengthPointer)).slice()
        const { row, generated } = store().update(store().table(table), store().index(index), bytes)
        writeGenerated(pointer, lengthPointer, row, generated)
      }),
      datastore_delete_all_by_eq_bsatn: answering((id: number, pointer: number, length: number, out: number) => {
        const table = store().table(id)
        const relation = memory.read(pointer, length).slice()
        const keys = table.decodeAll(relation.subarray(4), memory.readU32(pointer)).map(({ key }) => key)
        remove(
          out,
          table,
          [...new Set(keys)].flatMap((key) => table.rows.get(key) ?? [])
        )
      }),
      row_iter_bsatn_advance: answering((iterator: number, pointer: number, lengthPointer: number) => {
        const rows = handles().iterators.get(iterator)
        if (rows === undefined) throw new HostError(errno.noSuchIterator)
        const room = memory.readU32(lengthPointer)
        let written = 0
        for (let next = rows[0]; next !== undefined && written + next.length <= room; next = rows[0]) {
          memory.write(pointer + written, next)
          written += next.length
          rows.shift()
        }
        memory.writeU32(lengthPointer, written === 0 && rows[0] !== undefined ? rows[0].length : written)
        if (rows[0] !== undefined) return written === 0 ? errno.bufferTooSmall : 0
        handles().iterators.delete(iterator)
        return -1
      }),
      row_iter_bsatn_close: answering((iterator: number) => {
        if (!handles().iterators.delete(iterator)) throw new HostError(errno.noSuchIterator)
      }),
      bytes_source_read: answering((source: number, pointer: number, lengthPointer: number) => {
        const bytes = handles().sources.get(source)
        if (bytes === undefined) throw new HostError(errno.noSuchBytes)
        const length = Math.min(memory.readU32(lengthPointer), bytes.length)
        memory.write(pointer, bytes.subarray(0, length))
        memory.writeU32(lengthPointer, length)
        if (length < bytes.length) handles().sources.set(source, bytes.subarray(length))
        else handles().sources.delete(source)
        return length < bytes.length ? 0 : -1
      }),
      bytes_sink_write: answering((sink: number, pointer: number, lengthPointer: number) => {
        const chunks = handles().sinks.get(sink)
        if (chunks === undefined) throw new HostError(errno.noSuchBytes)
        chunks.push(memory.read(pointer, memory.readU32(lengthPointer)).slice())
      }),
      console_log: (
        level: number,
        target: number,
        targetLength: number,
        file: number,
        fileLength: number,
        line: number,
        message: number,
        messageLength: number
      ) =>
        host.log({
          level: level & 0xff,
          target: target === 0 ? undefined : memory.lossyText(target, targetLength),
          file: file === 0 ? undefined : memory.lossyText(file, fileLength),
          line: line === -1 ? undefined : line >>> 0,
          message: memory.lossyText(message, messageLength)
        }),
      console_timer_start: (name: number, length: number) =>
        handles().add(handles().timers, { name: memory.lossyText(name, length), startedAt: performance.now() }),
      console_timer_end: answering((id: number) => {
        const timer = handles().timers.get(id)
        if (timer === undefined) throw new HostError(errno.noSuchConsoleTimer)
        handles().timers.delete(id)
        const elapsed = (performance.now() - timer.startedAt).toFixed(3)
        host.log({ level: 2, message: `Timing span ${JSON.stringify(timer.name)}: ${elapsed}ms` })
      }),
      identity: (out: number) => memory.write(out, host.identity)
    },
    'spacetime_10.1': {
      bytes_source_remaining_length: answering((source: number, out: number) => {
        const bytes = handles().sources.get(source)
        if (bytes === undefined) throw new HostError(errno.noSuchBytes)
        memory.writeU32(out, bytes.length)
      })
    },
    'spacetime_10.2': {
      get_jwt: answering((connection: number, out: number) => {
        if (!store().inTransaction) throw new HostError(errno.notInTransaction)
        memory.writeU32(out, handles().source(Buffer.from(host.claimsOf(memory.read(connection, 16)) ?? '')))
      })
    },
    'spacetime_10.3': {
      procedure_start_mut_tx: answering((out: number) => {
        store().begin()
        handles().ownsTransaction = true
        memory.writeU64(out, BigInt(Date.now()) * 1000n)
      }),
      procedure_commit_mut_tx: answering(() => endTransaction(handles(), () => store().commit())),
      procedure_abort_mut_tx: answering(() => endTransaction(handles(), () => store().rollBack())),
      procedure_sleep_until: (until: bigint) => {
        const milliseconds = Number(until / 1000n) - Date.now()
        if (milliseconds > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
        return BigInt(Date.now()) * 1000n
      }
    },
    'spacetime_10.4': {
      datastore_index_scan_point_bsatn: answering((index: number, pointer: number, length: number, out: number) =>
        iterate(out, point(index, pointer, length))
      ),
      datastore_delete_by_index_scan_point_bsatn: answering(
        (index: number, pointer: number, length: number, out: number) =>
          remove(out, store().index(index).table, point(index, pointer, length))
      )
    },
    'spacetime_10.5': {
      datastore_clear: answering((id: number, out: number) => {
        const rows = [...store().table(id).rows.values()]
        for (const row of rows) store().delete(store().table(id), row)
        memory.writeU64(out, BigInt(rows.length))
      })
    }
  }
}

/** A function that answers with the number of a HostError, or with 0 where it returns nothing. */
function answering(run: (...args: number[]) => unknown): (...args: number[]) => number {
  return (...args) => {
    try {
      const answer = run(...args)
      return typeof answer === 'number' ? answer : 0
    } catch (error) {
      if (error instanceof HostError) return error.number
      throw error
    }
  }
}

function endTransaction(handles: Handles, end: () => void): void {
  if (!handles.ownsTransaction) throw new HostError(errno.transactionNotAnonymous)
  handles.ownsTransaction = false
  end()
}
