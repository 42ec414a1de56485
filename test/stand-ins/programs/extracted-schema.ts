import { moduleFromBytes } from '../../../src/module/load.ts'
import type { ModuleKind } from '../../../src/module/module.ts'
import { describeProgram } from '../../embedded/program.ts'
import { schemaAnswer } from '../../embedded/schema-answer.ts'
import { WorkerPool } from '../../embedded/worker-pool.ts'

/** What `extract-schema` prints: a `RawModuleDef` of version 10 in JSON, with the names that a server makes. */
export async function schemaOf(bytes: Uint8Array, kind: ModuleKind): Promise<string> {
  const workers = new WorkerPool(10_000)
  try {
    const program = await describeProgram(moduleFromBytes(bytes, kind), workers)
    return `{"V10":${schemaAnswer(program, '10')}}`
  } finally {
    await workers.close()
  }
}
