import { ConfigurationError, messageOf } from '../errors.ts'
import { ByteReader, ByteWriter } from './bytes.ts'
import { type RawModuleDefV9, rawModuleDefV9 } from './raw-module-def-v9.ts'
import { type RawModuleDefV10, rawModuleDefV10 } from './raw-module-def-v10.ts'

/** What a module says of itself when the server asks it to (`__describe_module__`), before names are made canonical. */
export type RawModuleDef =
  | { readonly version: 9; readonly def: RawModuleDefV9 }
  | { readonly version: 10; readonly def: RawModuleDefV10 }

/** A definition, and the parts of it that this code does not know: nothing after the first could be read. */
export type DecodedModuleDef = { readonly raw: RawModuleDef; readonly unknownParts: readonly string[] }

/**
 * Decodes what `__describe_module__` writes: a `RawModuleDef` of crates/lib/src/lib.rs in BSATN. The bytes need not be
 * trusted. Throws a `ConfigurationError` when they are not one, or one of a version that this code does not know.
 */
export function decodeRawModuleDef(bytes: Uint8Array): DecodedModuleDef {
  const reader = new ByteReader(bytes)
  try {
    const raw = readVersion(reader)
    if (reader.remaining > 0) throw reader.error(`${reader.remaining} bytes too many`)
    return { raw, unknownParts: reader.unknownParts }
  } catch (error) {
    if (error instanceof ConfigurationError) throw error
    throw new ConfigurationError(
      `The module's description of itself can't be read: ${messageOf(error)}. Either the module is broken, or it was ` +
        'built with bindings that are newer than this action: build it again, or use a newer version of the action.',
      { cause: error }
    )
  }
}

/** The bytes that `__describe_module__` would write. */
export function encodeRawModuleDef(raw: RawModuleDef): Uint8Array {
  const writer = new ByteWriter()
  writer.u8(raw.version === 9 ? tagOfV9 : tagOfV10)
  if (raw.version === 9) rawModuleDefV9.write(writer, raw.def)
  else rawModuleDefV10.write(writer, raw.def)
  return writer.bytes()
}

const tagOfV8 = 0
const tagOfV9 = 1
const tagOfV10 = 2

function readVersion(reader: ByteReader): RawModuleDef {
  const tag = reader.u8()
  if (tag === tagOfV9) return { version: 9, def: rawModuleDefV9.read(reader) }
  if (tag === tagOfV10) return { version: 10, def: rawModuleDefV10.read(reader) }
  throw new ConfigurationError(
    tag === tagOfV8
      ? 'The module describes itself in the format of bindings before 1.0 (version 8), which is not supported. Build it ' +
          'with SpacetimeDB bindings 1.0 or newer.'
      : `The module describes itself in a format that is not known (RawModuleDef tag ${tag}; known are versions 9 and 10). ` +
          'It was built with newer bindings: use a newer version of this action, or older bindings.'
  )
}
