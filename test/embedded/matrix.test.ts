import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type MatrixCase, matrixCases, matrixModule } from '../fixtures.ts'
import { comparable } from './alike.ts'
import { type EmbeddedServer, startServer } from './server.ts'

const withRows = matrixCases().filter((item) => item.withRows)

/**
 * The migrations of data that a real server was asked to do, asked of the embedded one. Plans alone are held to all
 * cases in plan.test.ts.
 */
describe('the embedded server migrates as a real one did', () => {
  let server: EmbeddedServer
  let token: string

  beforeAll(async () => {
    server = await startServer()
    token = await server.issueToken('owner')
  })

  afterAll(async () => {
    await server.close()
  })

  test.each(withRows.map((item) => [name(item), item] as const))('%s', async (_, item) => {
    const database = await prepared(item)
    const plan = await ask('POST', `/${database}/pre_publish?style=NoColor`, matrixModule(item.to))
    expect(planKind(plan.body)).toEqual(planKind(item.plan.body))
    expect(await publish(database, item.to)).toEqual(recorded(item.publishCompatible))
    const isRefused = item.publishCompatible.status !== 200
    if (isRefused && item.publishWithToken !== undefined)
      expect(await publishWithToken(database, item.to)).toEqual(recorded(item.publishWithToken))
    if (item.rowsAfter !== undefined) expect(await rowsOf(database, item.rowsAfter)).toEqual(item.rowsAfter)
    if (item.andBack?.publishWithToken !== undefined) {
      expect(await publishWithToken(database, item.from)).toEqual(recorded(item.andBack.publishWithToken))
      const { rowsAfter } = item.andBack
      if (rowsAfter !== undefined) expect(await rowsOf(database, rowsAfter)).toEqual(rowsAfter)
    }
    if (item.afterRefusal !== undefined) expect((await fill(database, 99)).status).toBe(200)
    await ask('DELETE', `/${database}`)
  })

  /** A database with the module that the case starts from, filled as often as it says. */
  async function prepared({ from, rows }: MatrixCase): Promise<string> {
    const created = await ask('POST', '', matrixModule(from))
    const database = (created.body as { Success: { database_identity: string } }).Success.database_identity
    for (let n = 1; n <= rows; n++) expect((await fill(database, n)).status).toBe(200)
    return database
  }

  async function publishWithToken(database: string, module: string) {
    const { body } = await ask('POST', `/${database}/pre_publish?style=NoColor`, matrixModule(module))
    const { AutoMigrate } = body as { AutoMigrate?: { token: string } }
    return publish(database, module, `?policy=BreakClients&token=${AutoMigrate?.token}`)
  }

  async function publish(database: string, module: string, query = '') {
    return recorded(await ask('PUT', `/${database}${query}`, matrixModule(module)))
  }

  function fill(database: string, n: number) {
    return ask('POST', `/${database}/call/fill`, JSON.stringify([n]), 'application/json')
  }

  async function rowsOf(database: string, tables: object) {
    const all = Object.keys(tables).map(
      async (table) => [table, readable(await ask('POST', `/${database}/sql`, `SELECT * FROM ${table}`))] as const
    )
    return Object.fromEntries(await Promise.all(all))
  }

  async function ask(method: string, path: string, body?: Uint8Array | string, type?: string) {
    const headers = { authorization: `Bearer ${token}`, ...(type !== undefined && { 'content-type': type }) }
    const answer = await fetch(`${server.url}/v1/database${path}`, {
      method,
      headers,
      ...(body !== undefined && { body: typeof body === 'string' ? body : new Uint8Array(body) })
    })
    const text = await answer.text()
    const isJson = answer.headers.get('content-type') === 'application/json'
    return { status: answer.status, body: isJson ? JSON.parse(text) : text }
  }
})

function name({ id, direction, rows }: MatrixCase): string {
  return `${id} ${direction}, rows: ${rows}`
}

type Plan = { AutoMigrate?: { break_clients: boolean; migrate_plan: string }; ManualMigrate?: { reason: string } }

/** What a plan decides; its text is for people. */
function planKind(body: unknown) {
  const { AutoMigrate, ManualMigrate } = body as Plan
  if (AutoMigrate !== undefined) return { breaksClients: AutoMigrate.break_clients }
  return { reasons: reasonsOf(ManualMigrate?.reason ?? '') }
}

function recorded({ status, body }: { status: number; body: unknown }) {
  if (typeof body !== 'string') return { status, op: (body as { Success: { op: string } }).Success.op }
  const isManual = body.startsWith('Database update rejected:')
  return { status, body: isManual ? reasonsOf(body) : comparable(body, undefined) }
}

/** The same reasons in whatever order. */
function reasonsOf(text: string): string[] {
  return text
    .replace(/^.*Errors occurred:\n/s, '')
    .split('\n\n')
    .sort()
}

type SqlBody = [{ schema: { elements: { name: { some: string } }[] }; rows: unknown[] }]

function readable({ status, body }: { status: number; body: unknown }) {
  if (status !== 200) return { status, body }
  const [{ schema, rows }] = body as SqlBody
  return { columns: schema.elements.map(({ name: { some } }) => some), rows }
}
