import type { Declaration } from './declaration.ts'
import { matchesOf, type SourceText, stringAt } from './source-text.ts'

const methodPattern = /\.\s*(get|head|options|put|delete|post|patch|any)\s*\(\s*(?=["'`])/gi

/** Routes that a router is given, as in `.get("/users", handler)`. Each language's bindings write them so. */
export function routesIn(source: SourceText): Declaration[] {
  return matchesOf(methodPattern, source.code).flatMap(({ 0: whole, 1: method = '', index }) => {
    const path = stringAt(source, index + whole.length)
    const name = `${method.toUpperCase()} ${path}`
    const at = index + whole.indexOf(method)
    return path?.startsWith('/') ? [{ kind: 'http-route', name, start: at, at }] : []
  })
}
