import { homedir } from 'node:os'
import { join } from 'node:path'

/**
 * Where cargo keeps what it downloads, and its configuration (https://doc.rust-lang.org/cargo/guide/cargo-home.html).
 * Windows has a variable of its own for the home: HOME, which bash sets there, is nothing to cargo.
 */
export function cargoHomeOf(
  { CARGO_HOME, HOME, USERPROFILE }: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform = process.platform
): string {
  return CARGO_HOME || join((platform === 'win32' ? USERPROFILE : HOME) || homedir(), '.cargo')
}
