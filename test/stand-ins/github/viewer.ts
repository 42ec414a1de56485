import { type HostAnswer, jsonAnswer } from '../http-answer.ts'
import type { GitHubUser } from './state.ts'

/** The GraphQL API, of which there is `viewer` (https://docs.github.com/graphql/reference/queries#viewer). */
export function answerQuery(sent: string, user: GitHubUser | undefined): HostAnswer {
  if (user === undefined) return jsonAnswer(401, { message: 'This endpoint requires you to be authenticated.' })
  return /^query\s*\{\s*viewer\s*\{\s*login\s*\}\s*\}$/.test(queryIn(sent))
    ? jsonAnswer(200, { data: { viewer: { login: user.login } } })
    : jsonAnswer(200, { errors: [{ message: 'Parse error' }] })
}

function queryIn(sent: string): string {
  try {
    return String(Object(JSON.parse(sent)).query)
  } catch {
    return ''
  }
}
