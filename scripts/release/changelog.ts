/** What CHANGELOG.md says of a version, without its heading; `undefined` when it says nothing. */
export function notesOf(changelog: string, version: string): string | undefined {
  const sections = changelog.split(/^## /m).slice(1)
  const section = sections.find((text) => text.startsWith(`[${version}]`))
  return section?.replace(/^.*\n/, '').trim() || undefined
}

/** A changelog in which what was not released yet is a version of some day (`2026-11-25`). */
export function withRelease(changelog: string, version: string, day: string): string {
  return changelog.replace(/^## \[Unreleased\]$/m, () => `## [Unreleased]\n\n## [${version}] - ${day}`)
}
