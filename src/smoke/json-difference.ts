import { inOneLine } from '../one-line.ts'
import { jsonText } from './shown-value.ts'

/** The first place where two JSON documents differ, and what is there, to be read one under the other. */
export type JsonDifference = { readonly expected: string; readonly actual: string }

/**
 * Compares JSON documents; the order of keys means nothing, and numbers are compared exactly, whether they are numbers
 * or bigints. `undefined` where they are the same.
 */
export function jsonDifference(expected: unknown, actual: unknown, path = ''): JsonDifference | undefined {
  if (Array.isArray(expected) && Array.isArray(actual) && expected.length === actual.length) {
    return firstOf(expected.keys(), (at) => jsonDifference(expected[at], actual[at], `${path}[${at}]`))
  }
  if (isMap(expected) && isMap(actual)) {
    const keys = new Set([...Object.keys(expected), ...Object.keys(actual)])
    return firstOf(keys, (key) => jsonDifference(own(expected, key), own(actual, key), `${path}.${key}`))
  }
  if (isSame(expected, actual)) return undefined
  const place = path === '' ? '' : `${path.replace(/^\./, '')} = `
  return { expected: place + shown(expected), actual: place + shown(actual) }
}

function shown(json: unknown): string {
  return json === undefined ? 'nothing' : inOneLine(jsonText(json), 200)
}

/** Empty lists and maps are no further looked into. */
function isSame(one: unknown, other: unknown): boolean {
  const areNumbers = isNumber(one) && isNumber(other)
  return areNumbers ? !(one < other || one > other) : one === other
}

function isNumber(json: unknown): json is number | bigint {
  return typeof json === 'number' || typeof json === 'bigint'
}

function isMap(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}

/** Not what every object has, such as `constructor`. */
function own(map: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(map, key) ? map[key] : undefined
}

function firstOf<Key>(keys: Iterable<Key>, find: (key: Key) => JsonDifference | undefined): JsonDifference | undefined {
  for (const key of keys) {
    const found = find(key)
    if (found !== undefined) return found
  }
  return undefined
}
