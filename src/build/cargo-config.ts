import { readFile } from 'node:fs/promises'
import { dirname, join, parse, resolve } from 'node:path'
import { parse as parseToml } from 'smol-toml'
import { ConfigurationError, messageOf } from '../errors.ts'
import { foldersUp } from '../paths.ts'

/** What the flags for rustc depend on. */
export type RustSettings = {
  /** Where cargo runs, absolute. */
  readonly folder: string
  readonly cargoHome: string
  readonly environment: Readonly<Record<string, string>>
  readonly target: string
  /** What holds for the target, as `rustc --print cfg` says it: `target_arch="wasm32"`, `panic="abort"`. */
  readonly cfg: readonly string[]
}

/**
 * The flags that cargo would give rustc for a target. It takes them from the first of four places that has some:
 * CARGO_ENCODED_RUSTFLAGS, RUSTFLAGS, `target.*.rustflags`, `build.rustflags`
 * (https://doc.rust-lang.org/cargo/reference/config.html#buildrustflags). Throws a `ConfigurationError` for a cargo
 * configuration that can't be read.
 */
export async function rustFlags(settings: RustSettings): Promise<string[]> {
  const { environment, target } = settings
  if (environment.CARGO_ENCODED_RUSTFLAGS) return environment.CARGO_ENCODED_RUSTFLAGS.split('\u001f')
  if (environment.RUSTFLAGS) return words(environment.RUSTFLAGS)
  const configs = await cargoConfigs(settings)
  const variable = `CARGO_TARGET_${target.toUpperCase().replaceAll('-', '_')}_RUSTFLAGS`
  const ofTarget = [
    ...configs.flatMap((config) => targetFlags(config, settings)),
    ...words(environment[variable] ?? '')
  ]
  if (ofTarget.length > 0) return ofTarget
  const ofBuild = configs.flatMap((config) => flagsIn(config.build?.rustflags))
  return [...ofBuild, ...words(environment.CARGO_BUILD_RUSTFLAGS ?? '')]
}

type CargoConfig = {
  readonly include?: unknown
  readonly build?: { readonly rustflags?: unknown }
  readonly target?: Readonly<Record<string, { readonly rustflags?: unknown }>>
}

/** All that hold for a folder, those that override others later, as cargo joins lists. */
async function cargoConfigs({ folder, cargoHome }: RustSettings): Promise<CargoConfig[]> {
  const own = foldersUp(folder, parse(folder).root).map((above) => join(above, '.cargo'))
  const folders = [...new Set([...own, cargoHome])].reverse()
  return (await Promise.all(folders.map(configIn))).flat()
}

/** Of both names, cargo takes the older one. */
async function configIn(folder: string): Promise<CargoConfig[]> {
  const old = await readConfig(join(folder, 'config'))
  return old.length > 0 ? old : readConfig(join(folder, 'config.toml'))
}

async function readConfig(file: string, depth = 0): Promise<CargoConfig[]> {
  const text = await readFile(file, 'utf8').catch(() => undefined)
  if (text === undefined || depth > mostIncludes) return []
  let config: CargoConfig
  try {
    config = parseToml(text) as CargoConfig
  } catch (error) {
    throw new ConfigurationError(`cargo's configuration ${file} can't be read: ${messageOf(error)}`)
  }
  const included = includesOf(config).map((path) => readConfig(resolve(dirname(file), path), depth + 1))
  return [...(await Promise.all(included)).flat(), config]
}

const mostIncludes = 8

/** https://doc.rust-lang.org/cargo/reference/config.html#including-extra-configuration-files */
function includesOf({ include }: CargoConfig): string[] {
  const all: unknown[] = Array.isArray(include) ? include : [include]
  const paths = all.map((each) => (typeof each === 'object' && each !== null && 'path' in each ? each.path : each))
  return paths.filter((path): path is string => typeof path === 'string')
}

function targetFlags({ target = {} }: CargoConfig, settings: RustSettings): string[] {
  const own = Object.entries(target).filter(([name]) => name === settings.target || cfgHolds(name, settings.cfg))
  return own.flatMap(([, { rustflags }]) => flagsIn(rustflags))
}

function flagsIn(flags: unknown): string[] {
  if (typeof flags === 'string') return words(flags)
  return Array.isArray(flags) ? flags.filter((flag): flag is string => typeof flag === 'string') : []
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '')
}

/**
 * Whether `cfg(…)` holds, where `cfg` lists all that does
 * (https://doc.rust-lang.org/reference/conditional-compilation.html). What is no such expression does not hold.
 */
export function cfgHolds(expression: string, cfg: readonly string[]): boolean {
  const inner = /^cfg\((.*)\)$/s.exec(expression.trim())?.[1]
  return inner !== undefined && holds(inner.trim(), new Set(cfg))
}

function holds(predicate: string, cfg: ReadonlySet<string>): boolean {
  const [, operator, operands = ''] = /^(all|any|not)\s*\((.*)\)$/s.exec(predicate) ?? []
  const results = () => splitAtCommas(operands).map((each) => holds(each, cfg))
  if (operator === 'all') return results().every(Boolean)
  if (operator === 'any') return results().some(Boolean)
  if (operator === 'not') return !results().some(Boolean)
  if (predicate === 'true' || predicate === 'false') return predicate === 'true'
  return cfg.has(predicate.replace(/\s*=\s*/, '='))
}

/** At those that are in no parentheses and no quotes. */
function splitAtCommas(text: string): string[] {
  let depth = 0
  let quoted = false
  const parts = ['']
  for (const character of text) {
    if (character === '"') quoted = !quoted
    if (!quoted && character === '(') depth++
    if (!quoted && character === ')') depth--
    if (character === ',' && depth === 0 && !quoted) parts.push('')
    else parts[parts.length - 1] += character
  }
  return parts.map((part) => part.trim()).filter((part) => part !== '')
}
