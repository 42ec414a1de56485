import { inOneLine } from '../../one-line.ts'
import type { RouteAnswer } from '../../spacetimedb/route.ts'
import { parseWithBigIntegers } from '../../spacetimedb/sql-answer.ts'
import type { Check } from '../check.ts'
import type { Finding } from '../check-report.ts'
import { jsonDifference } from '../json-difference.ts'
import type { CheckPlace, RunCheck } from '../place.ts'
import { withinTry } from './within-try.ts'

/** Asks one of the module's own HTTP handlers, once, and looks at its answer. */
export const runHttpRoute: RunCheck<'http-route'> = (check, place, attempt) =>
  withinTry(place, attempt, async () => {
    const { 'http-route': path, method, headers, body } = check.wanted
    const answer = await place.anonymous.route(place.database, {
      method,
      path,
      headers,
      ...(body !== undefined && { body }),
      timeout: attempt.timeout
    })
    const difference = statusDifference(check.wanted, answer, place) ?? bodyDifference(check.wanted, answer.body)
    return difference ? { kind: 'failed', ...difference } : { kind: 'passed', detail: `status ${answer.status}` }
  })

type Wanted = Check<'http-route'>['wanted']
type Difference = Pick<Extract<Finding, { kind: 'failed' }>, 'expected' | 'actual'>

function statusDifference(
  wanted: Wanted,
  { status, body }: RouteAnswer,
  { schema }: CheckPlace
): Difference | undefined {
  if (status === wanted.status) return undefined
  const routes = schema.httpRoutes.map(({ method, path }) => `${method} ${path}`)
  const known = status === 404 ? ` (the module's routes: ${routes.join(', ') || 'none'})` : ''
  const text = body.trim() === '' ? '' : `: ${inOneLine(body, 200)}`
  return { expected: `status ${wanted.status}`, actual: `status ${status}${text}${known}` }
}

function bodyDifference(wanted: Wanted, body: string): Difference | undefined {
  const actual = body === '' ? 'an empty answer' : JSON.stringify(inOneLine(body, 200))
  const { contains, matches } = wanted
  if (contains !== undefined && !body.includes(contains)) {
    return { expected: `an answer with ${JSON.stringify(contains)}`, actual }
  }
  if (matches !== undefined && !new RegExp(matches, 'u').test(body)) {
    return { expected: `an answer that matches /${matches}/`, actual }
  }
  return 'json' in wanted ? contentDifference(wanted.json, body, actual) : undefined
}

function contentDifference(expected: unknown, body: string, actual: string): Difference | undefined {
  try {
    return jsonDifference(expected, parseWithBigIntegers(body))
  } catch {
    return { expected: 'an answer in JSON', actual }
  }
}
