import { stringify } from 'lossless-json'
import type { AlgebraicType, PrimitiveKind } from '../module/algebraic-type.ts'
import type { Parameter } from '../module/schema.ts'
import { resolve, type Typespace } from '../module/typespace.ts'
import { inOneLine } from '../one-line.ts'

/**
 * What is wrong with arguments for a function: their number, or one that no server would take for its parameter. Structs
 * and enums, which have several forms in JSON, are left to the server.
 */
export function argumentObjections(
  args: readonly unknown[],
  parameters: readonly Parameter[],
  typespace: Typespace
): string[] {
  if (args.length !== parameters.length) return [wrongCount(args, parameters, typespace)]
  return parameters.flatMap(({ name, type }, index) => {
    const wanted = misfit(args[index], type, typespace)
    if (wanted === undefined) return []
    const label = name === undefined ? '' : ` (\`${name}\`)`
    return [`Argument ${index + 1}${label} is \`${inOneLine(stringify(args[index]) ?? '')}\`, but has to be ${wanted}.`]
  })
}

function wrongCount(args: readonly unknown[], parameters: readonly Parameter[], typespace: Typespace): string {
  const given = args.length === 0 ? 'no arguments' : args.length === 1 ? 'one argument' : `${args.length} arguments`
  if (parameters.length === 0) return `It is given ${given}, and takes none: leave \`args\` out.`
  const list = parameters.map(
    ({ name, type }) => `${name === undefined ? '' : `${name}: `}${kindText(type, typespace)}`
  )
  return `It is given ${given}, and takes ${parameters.length}: \`[${list.join(', ')}]\`. Write them as \`args\`.`
}

function kindText(type: AlgebraicType, typespace: Typespace): string {
  const { kind } = resolve(type, typespace)
  return { array: 'list', product: 'struct', sum: 'enum' }[kind as string] ?? kind
}

/** What a value would have to be, where it is something else. */
function misfit(value: unknown, type: AlgebraicType, typespace: Typespace): string | undefined {
  const resolved = resolve(type, typespace)
  switch (resolved.kind) {
    case 'product':
    case 'sum':
      return undefined
    case 'array':
      return misfitOfList(value, resolved.element, typespace)
    case 'string':
      return typeof value === 'string' ? undefined : 'a text: put it in quotes'
    case 'bool':
      return typeof value === 'boolean' ? undefined : '`true` or `false`, without quotes'
    case 'f32':
    case 'f64':
      return typeof value === 'number' || typeof value === 'bigint' ? undefined : `a number (${resolved.kind})`
    default:
      return misfitOfInteger(value, resolved.kind)
  }
}

/** Bytes may be a text, too: in hex. */
function misfitOfList(value: unknown, element: AlgebraicType, typespace: Typespace): string | undefined {
  const areBytes = resolve(element, typespace).kind === 'u8'
  if (areBytes && typeof value === 'string') return undefined
  if (!Array.isArray(value)) return areBytes ? 'bytes, as a text in hex or a list' : 'a list'
  const wrong = value.map((item) => misfit(item, element, typespace)).find((each) => each !== undefined)
  return wrong === undefined ? undefined : `a list of which each item is ${wrong}`
}

/** Integers of 256 bits may be texts, too: in hex. */
function misfitOfInteger(value: unknown, kind: PrimitiveKind): string | undefined {
  const bits = Number(kind.slice(1))
  if (bits === 256 && typeof value === 'string') return undefined
  const [least, greatest] = kind.startsWith('u')
    ? [0n, (1n << BigInt(bits)) - 1n]
    : [-(1n << BigInt(bits - 1)), (1n << BigInt(bits - 1)) - 1n]
  const isInteger = typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value))
  if (isInteger && BigInt(value) >= least && BigInt(value) <= greatest) return undefined
  return `a whole number from ${least} to ${greatest} (${kind})`
}
