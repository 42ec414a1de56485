/**
 * What the user can fix: an input, a permission, a file. The message says what is wrong, where, what is allowed
 * and what to do. Everything else that goes wrong is a plain `Error`.
 */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
}

/** The text of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
