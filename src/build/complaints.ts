import { stat } from 'node:fs/promises'
import { isAbsolute, join, relative, resolve, sep } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import type { ModuleLanguage } from '../module-language.ts'
import { isWithin } from '../paths.ts'
import type { Complaint, Place } from './complaint.ts'
import { readRustcText } from './complaints-rustc.ts'

/**
 * Reads what the compilers of a language print for people; places are as they name them. Never throws: text without
 * complaints has none.
 */
export function readComplaints(language: ModuleLanguage, text: string): Complaint[] {
  const plain = stripVTControlCharacters(text)
  const read = { rust: readRust, typescript: readTypeScript, csharp: readMsbuild, cpp: readClang }[language]
  return distinct(read(plain))
}

function readRust(text: string): Complaint[] {
  return [...readPrintLints(text), ...readRustcText(text)]
}

function readTypeScript(text: string): Complaint[] {
  return [...readTsc(text), ...readRolldown(text)]
}

/** `src/index.ts(12,5): error TS2322: …`, and without a place what is wrong with the options. */
export function readTsc(text: string): Complaint[] {
  return matches(text, /^(?:(\S.*)\((\d+),(\d+)\): )?(error|warning) (TS\d+): (.*(?:\n[ \t]+\S.*)*)/gm, (match) => {
    const [, file, line, column, severity, code, message] = match
    return complaint(severity, message, code, file, line, column)
  })
}

/**
 * `[UNRESOLVED_IMPORT] Error: …`, with `╭─[ src/index.ts:1:21 ]` below. So does the CLI print it, which bundles by the
 * same bundler. An import that can't be resolved is only warned of by the bundler itself, and breaks a module.
 */
export function readRolldown(text: string): Complaint[] {
  return text.split(/^(?=.*\[[A-Z_]+\] (?:Error|Warning): )/m).flatMap((block) => {
    const [, code, severity, message] = /\[([A-Z_]+)\] (Error|Warning): (.*)/.exec(block) ?? []
    if (code === undefined) return []
    const [, file, line, column] = /╭─\[ ?(.+):(\d+):(\d+) ?\]/.exec(block) ?? []
    const isWarning = severity === 'Warning' && code !== 'UNRESOLVED_IMPORT'
    return [complaint(isWarning ? 'warning' : 'error', message, code, file, line, column)]
  })
}

/** `Lib.cs(12,5): error CS0103: … [/path/StdbModule.csproj]`, `CSC : error CS5001: …`. */
export function readMsbuild(text: string): Complaint[] {
  const line = /^\s*(?:(\S.*?)(?:\((\d+)(?:,(\d+))?(?:,\d+,\d+|-\d+)?\))? ?: )(error|warning)(?: ([A-Z]+\d+))?: (.*)$/gm
  return matches(text, line, ([, file, row, column, severity, code, message = '']) =>
    complaint(severity, message.replace(/ \[[^[\]]+proj(::.*)?\]$/, ''), code, file, row, column)
  )
}

/** `src/lib.cpp:12:5: error: …`, which is how GCC prints it too. */
export function readClang(text: string): Complaint[] {
  const line = /^(\S.*?):(\d+):(?:(\d+):)? (?:fatal )?(error|warning): (.*?)(?: \[(-W[^\]]+)\])?$/gm
  return matches(text, line, ([, file, row, column, severity, message, code]) =>
    complaint(severity, message, code, file, row, column)
  )
}

/** The CLI's own check for what prints nothing in a module: `src/lib.rs:3:     println!("x");`. */
export function readPrintLints(text: string): Complaint[] {
  if (!text.includes('Detected nonfunctional print statements:')) return []
  return matches(text, /^(\S.*\.rs):(\d+): .*?\b(e?println!|e?print!|dbg!)/gm, ([, file, line, macro]) =>
    complaint('error', printLintMessage(`${macro}`), undefined, file, line, undefined)
  )
}

/** What is wrong with `println!` and the like in a module. */
export function printLintMessage(macro: string): string {
  return `\`${macro}\` prints nothing in a module. Use the crate \`log\`: \`log::info!\`.`
}

function matches(text: string, line: RegExp, read: (match: RegExpExecArray) => Complaint): Complaint[] {
  return [...text.matchAll(line)].map(read)
}

function complaint(
  severity: string | undefined,
  message: string | undefined,
  code: string | undefined,
  file: string | undefined,
  line: string | undefined,
  column: string | undefined
): Complaint {
  return {
    severity: severity === 'warning' ? 'warning' : 'error',
    message: (message ?? '').trim(),
    ...(code !== undefined && { code }),
    ...(file !== undefined &&
      line !== undefined && {
        place: { file, line: Number(line), ...(column !== undefined && { column: Number(column) }) }
      })
  }
}

/** MSBuild says all again at its end. */
function distinct(complaints: readonly Complaint[]): Complaint[] {
  return [...new Map(complaints.map((each) => [JSON.stringify(each), each])).values()]
}

/** Where compilers' files are. All absolute. */
export type SourceFolders = {
  readonly workspace: string
  /** The folders that relative paths may be meant from, the likeliest first. */
  readonly bases: readonly string[]
  /** Folders that compilers were told to name otherwise: name → folder. */
  readonly remapped?: Readonly<Record<string, string>>
}

/**
 * Complaints with places as the repository names them. What lies outside of it (a dependency's source) has none: it is
 * said in the message.
 */
export async function placeInRepository(
  complaints: readonly Complaint[],
  folders: SourceFolders
): Promise<Complaint[]> {
  return Promise.all(
    complaints.map(async ({ place, ...rest }) => {
      if (place === undefined) return rest
      const file = await fileInRepository(place.file, folders)
      if (file !== undefined) return { ...rest, place: { ...place, file } }
      return { ...rest, message: `${rest.message}\n(${textOf(place)})` }
    })
  )
}

async function fileInRepository(
  file: string,
  { workspace, bases, remapped = {} }: SourceFolders
): Promise<string | undefined> {
  const [name, folder] = Object.entries(remapped).find(([each]) => file.startsWith(`${each}/`)) ?? []
  const real = name === undefined ? file : join(`${folder}`, file.slice(name.length))
  const candidates = isAbsolute(real) ? [real] : bases.map((base) => resolve(base, real))
  for (const candidate of candidates) {
    if (isWithin(workspace, candidate) && (await isFile(candidate)))
      return relative(workspace, candidate).split(sep).join('/')
  }
  return undefined
}

function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false
  )
}

function textOf({ file, line, column }: Place): string {
  return [file, line, column].filter((part) => part !== undefined).join(':')
}
