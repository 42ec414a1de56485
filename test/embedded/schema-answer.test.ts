import { afterAll, describe, expect, test } from '@jest/globals'
import { hashModule } from '../../src/module/hash.ts'
import { matrixModule, matrixNames, matrixSchema } from '../fixtures.ts'
import { comparableSchema } from './alike.ts'
import { describeProgram } from './program.ts'
import { schemaAnswer } from './schema-answer.ts'
import { WorkerPool } from './worker-pool.ts'

describe('a schema is answered as a real server did', () => {
  const workers = new WorkerPool(10_000)

  afterAll(() => workers.close())

  test.each(matrixNames())('%s', async (name) => {
    const bytes = matrixModule(name)
    const program = await describeProgram({ bytes, hash: hashModule(bytes), kind: 'wasm' }, workers)
    for (const version of [9, 10] as const) {
      const recorded = comparableSchema(JSON.stringify(matrixSchema(name, version)))
      expect(comparableSchema(schemaAnswer(program, String(version)))).toEqual(recorded)
    }
  })
})
