import type { RawModuleDef } from './raw-module-def.ts'
import type { Schema } from './schema.ts'
import { schemaFromV9 } from './schema-from-v9.ts'
import { type Author, schemaFromV10 } from './schema-from-v10.ts'

/**
 * The schema that a raw definition means, as a server that accepts it makes it (crates/schema/src/def/validate of
 * https://github.com/clockworklabs/SpacetimeDB). Lists keep the raw order: a reducer's position is its number. Throws an
 * `Error` when the definition refers to what it does not have; other rules of the server are not checked.
 */
export function schemaFromRaw(raw: RawModuleDef, author: Author, unknownParts: readonly string[] = []): Schema {
  const schema = raw.version === 9 ? schemaFromV9(raw.def) : schemaFromV10(raw.def, author)
  return { ...schema, unknownParts: [...schema.unknownParts, ...unknownParts] }
}
