import { messageOf } from '../../src/errors.ts'
import { type Control, nameProblem } from './control.ts'
import type { DatabaseRecord } from './database.ts'
import { type Answer, json, type Request, requireJson } from './exchange.ts'
import { HttpError } from './http-error.ts'
import type { Bearer } from './tokens.ts'

/** Gives a database another name: anyone may. */
export function addName(control: Control, record: DatabaseRecord, { body }: Request, bearer: Bearer): Answer {
  const name = body.toString()
  const problem = nameProblem(name)
  if (problem !== undefined) throw new HttpError(400, problem)
  if (control.find(name) !== undefined) throw new HttpError(500, `record with the name ${name} already exists`)
  if (!control.addName(name, record.identity, bearer.identity))
    return { ...json({ PermissionDenied: { domain: name } }), status: 401 }
  return json({ Success: { domain: name, database_identity: record.identity } })
}

/** Replaces all names of a database. */
export function setNames(
  control: Control,
  record: DatabaseRecord,
  { body, contentType }: Request,
  bearer: Bearer
): Answer {
  requireJson(contentType)
  const names = namesIn(body.toString())
  for (const name of names) {
    const problem = nameProblem(name)
    if (problem !== undefined) throw new HttpError(400, `Error parsing \`${name}\`: ${problem}`)
  }
  if (record.owner !== bearer.identity)
    return { ...json({ NotYourDatabase: { database: record.identity } }), status: 401 }
  const taken = names.find((name) => control.find(name) !== undefined)
  if (taken !== undefined)
    return { ...json({ OtherError: `Cannot rename to ${taken} because it already is in use.` }), status: 400 }
  const foreign = [...control.namesOf(record.identity), ...names].find(
    (name) => (control.state.nameOwners.get(name) ?? record.owner) !== record.owner
  )
  if (foreign !== undefined) return { ...json({ PermissionDenied: { domain: foreign } }), status: 401 }
  control.dropNames(record.identity)
  for (const name of names) control.addName(name, record.identity, record.owner)
  return json('Success')
}

function namesIn(body: string): string[] {
  let names: unknown
  try {
    names = JSON.parse(body)
  } catch (error) {
    throw new HttpError(400, `Failed to parse the request body as JSON: ${messageOf(error)}`)
  }
  if (Array.isArray(names) && names.every((name) => typeof name === 'string')) return names
  throw new HttpError(422, 'Failed to deserialize the JSON body into the target type: expected a sequence of strings')
}
