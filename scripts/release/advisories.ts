import spawn from 'cross-spawn'
import type { BundledPackage } from '../licenses.ts'
import type { LockedPackage } from './sbom.ts'

/** What `npm audit --json` prints, as far as it is read here: version 2 of its report. */
export type AuditReport = {
  readonly vulnerabilities: Readonly<
    Record<
      string,
      {
        /** Advisories about the package itself; and by name, packages that it depends on. */
        readonly via: readonly (string | { readonly title: string; readonly url: string; readonly range: string })[]
        /** The folders that affected versions are installed in. */
        readonly nodes: readonly string[]
      }
    >
  >
}

/** The answer of the registry; or that there was none, and why. */
export type Audit =
  | { readonly kind: 'report'; readonly report: AuditReport }
  | { readonly kind: 'unknown'; readonly why: string }

/** Asks npm's registry which packages of a lock file, in a folder, have known vulnerabilities. */
export function audit(folder: string): Audit {
  const args = ['audit', '--json', '--package-lock-only', '--fetch-retries=1', '--fetch-timeout=30000']
  const options = { cwd: folder, encoding: 'utf8' as const, timeout: 120_000, maxBuffer: 100_000_000 }
  const { stdout, error } = spawn.sync('npm', args, options)
  if (error !== undefined && error !== null) return { kind: 'unknown', why: error.message }
  return answerOf(stdout)
}

/** What npm has printed, as a report, or as what kept it from one. */
export function answerOf(printed: string): Audit {
  try {
    const answer: unknown = JSON.parse(printed)
    if (typeof answer === 'object' && answer !== null) {
      if ('vulnerabilities' in answer) return { kind: 'report', report: answer as AuditReport }
      if ('message' in answer) return { kind: 'unknown', why: String(answer.message) }
    }
  } catch {
    // It is no JSON: said below.
  }
  return { kind: 'unknown', why: `npm printed no report but: ${printed.slice(0, 200).trim() || 'nothing'}` }
}

/** The advisories about what is in a bundle, a line for each; those about tools, and versions that stay out, are left out. */
export function advisoriesAbout(
  packages: readonly BundledPackage[],
  { vulnerabilities }: AuditReport,
  locked: Readonly<Record<string, LockedPackage>>
): string[] {
  const bundled = new Set(packages.map(({ name, version }) => `${name}@${version}`))
  return Object.entries(vulnerabilities).flatMap(([name, { via, nodes }]) => {
    const affected = nodes.map((folder) => `${name}@${locked[folder]?.version}`).filter((each) => bundled.has(each))
    if (affected.length === 0) return []
    return via.flatMap((cause) =>
      typeof cause === 'string'
        ? []
        : [`${[...new Set(affected)].join(', ')}: ${cause.title} (${cause.range}; ${cause.url})`]
    )
  })
}
