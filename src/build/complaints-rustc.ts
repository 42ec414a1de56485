import { stripVTControlCharacters } from 'node:util'
import * as z from 'zod'
import type { Complaint, Place } from './complaint.ts'

type Span = z.infer<typeof spanShape> & { readonly expansion?: { readonly span: Span } | null | undefined }

const spanShape = z.object({
  file_name: z.string(),
  line_start: z.number(),
  line_end: z.number(),
  column_start: z.number(),
  is_primary: z.boolean(),
  label: z.string().nullish()
})

const spanSchema: z.ZodType<Span> = z.lazy(() =>
  spanShape.extend({ expansion: z.object({ span: spanSchema }).nullish() })
)

/** https://doc.rust-lang.org/rustc/json.html#diagnostics */
const diagnosticSchema = z.object({
  message: z.string(),
  code: z.object({ code: z.string() }).nullish(),
  level: z.string(),
  spans: z.array(spanSchema),
  children: z.array(z.object({ message: z.string(), level: z.string() })).default([]),
  rendered: z.string().nullish()
})

/** https://doc.rust-lang.org/cargo/reference/external-tools.html#json-messages */
const messageSchema = z.discriminatedUnion('reason', [
  z.object({ reason: z.literal('compiler-message'), message: diagnosticSchema }),
  z.object({
    reason: z.literal('compiler-artifact'),
    manifest_path: z.string(),
    target: z.object({ crate_types: z.array(z.string()) }),
    filenames: z.array(z.string())
  })
])

/** What cargo says in a line of JSON; `undefined` for lines that are something else. */
export type CargoMessage =
  /** A compiler's message, as it would have printed it, and what it complains of, if it does. */
  | { readonly kind: 'compiler'; readonly rendered: string; readonly complaint: Complaint | undefined }
  /** Files of a crate that is built now, absolute. */
  | {
      readonly kind: 'artifact'
      readonly manifest: string
      readonly crateTypes: readonly string[]
      readonly files: readonly string[]
    }

/** Reads a line of `cargo build --message-format=json…`; places are as rustc names them. */
export function readCargoMessage(line: string): CargoMessage | undefined {
  const parsed = messageSchema.safeParse(jsonIn(line))
  if (!parsed.success) return undefined
  if (parsed.data.reason === 'compiler-message') {
    const { message } = parsed.data
    return { kind: 'compiler', rendered: message.rendered ?? message.message, complaint: complaintOf(message) }
  }
  const { manifest_path: manifest, target, filenames: files } = parsed.data
  return { kind: 'artifact', manifest, crateTypes: target.crate_types, files }
}

function jsonIn(line: string): unknown {
  if (!line.startsWith('{')) return undefined
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

function complaintOf({
  level,
  message,
  code,
  spans,
  children
}: z.infer<typeof diagnosticSchema>): Complaint | undefined {
  const severity = level.startsWith('error') ? 'error' : level === 'warning' ? 'warning' : undefined
  if (severity === undefined || isSummary(message)) return undefined
  const primary = spans.find((span) => span.is_primary) ?? spans[0]
  const help = children.filter((child) => child.level === 'help' || child.level === 'note')
  const texts = [message, primary?.label, ...help.map((child) => `${child.level}: ${child.message}`)]
  return {
    severity,
    message: texts.filter((text) => text).join('\n'),
    ...(code && { code: code.code }),
    ...(primary && { place: placeOf(inOwnFile(primary)) })
  }
}

/** What rustc says of the number of errors. */
function isSummary(message: string): boolean {
  return /^(aborting due to|could not compile|\d+ warnings? emitted|`.*` \(\w+.*\) generated \d+ warnings?)/.test(
    message
  )
}

/** A macro's span lies where the macro is written: its use in the user's own file is what counts. */
function inOwnFile(span: Span): Span {
  const isOwn = !/^([/\\<]|[A-Za-z]:)/.test(span.file_name)
  const outer = span.expansion?.span
  return isOwn || outer == null ? span : inOwnFile(outer)
}

function placeOf({ file_name: file, line_start: line, line_end: endLine, column_start: column }: Span): Place {
  return { file, line, column, endLine }
}

/** Reads what rustc, started by cargo, prints for people; places are as rustc names them. */
export function readRustcText(text: string): Complaint[] {
  const blocks = stripVTControlCharacters(text).split(/^(?=(?:error|warning)(?:\[\w+\])?: )/m)
  return blocks.flatMap(complaintInBlock)
}

function complaintInBlock(block: string): Complaint[] {
  const [, severity, code, message = ''] = /^(error|warning)(?:\[(\w+)\])?: (.*)/.exec(block) ?? []
  if (severity !== 'error' && severity !== 'warning') return []
  if (isSummary(message)) return []
  const place = /^ *--> (.+):(\d+):(\d+)$/m.exec(block)
  return [
    {
      severity,
      message,
      ...(code !== undefined && { code }),
      ...(place && { place: { file: `${place[1]}`, line: Number(place[2]), column: Number(place[3]) } })
    }
  ]
}
