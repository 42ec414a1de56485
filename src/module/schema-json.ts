import { messageOf } from '../errors.ts'
import { JsonReader } from './json-reader.ts'
import type { RawModuleDef } from './raw-module-def.ts'
import { rawModuleDefV9 } from './raw-module-def-v9.ts'
import { rawModuleDefV10 } from './raw-module-def-v10.ts'
import type { Schema } from './schema.ts'
import { schemaFromRaw } from './schema-from-raw.ts'

/**
 * The schema in a server's answer to `GET /v1/database/NAME/schema`, of version 9 or 10, parsed. Integers in it may be
 * bigints, and must be where doubles are too small (a sequence's limits). Neither version says everything: 9 has no
 * event flags, view keys, HTTP routes, visibility or return types of reducers; 10 has no names of indexes that were
 * named by hand, and the generated ones are given instead. Throws an `Error` that names the part that has an unknown
 * shape and shows how it begins.
 */
export function schemaFromJson(json: unknown): Schema {
  const reader = new JsonReader(json)
  try {
    return schemaFromRaw(rawFromJson(json, reader), 'server', reader.unknownParts)
  } catch (error) {
    throw new Error(`The schema that the server answered with has an unknown shape: ${messageOf(error)}`, {
      cause: error
    })
  }
}

/** What a server answers with for a definition whose names are canonical; bigints where doubles are too small. */
export function schemaJson(raw: RawModuleDef): unknown {
  return raw.version === 9 ? rawModuleDefV9.toJson(raw.def) : rawModuleDefV10.toJson(raw.def)
}

function rawFromJson(json: unknown, reader: JsonReader): RawModuleDef {
  return isObject(json) && 'sections' in json
    ? { version: 10, def: rawModuleDefV10.fromJson(reader) }
    : { version: 9, def: rawModuleDefV9.fromJson(reader) }
}

function isObject(json: unknown): json is object {
  return typeof json === 'object' && json !== null
}
