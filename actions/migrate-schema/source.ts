import { type Annotation, annotate } from '../../src/action/annotations.ts'
import type { Environment } from '../../src/action/inputs.ts'
import { log } from '../../src/action/log.ts'
import { workspaceOf } from '../../src/action/workspace.ts'
import { planBuilds } from '../../src/build/plan.ts'
import { messageOf } from '../../src/errors.ts'
import type { Change } from '../../src/migration/change.ts'
import type { MigrationReport } from '../../src/migration/report.ts'
import type { Verdict } from '../../src/migration/verdict.ts'
import { worstFirst } from '../../src/migration/worst-first.ts'
import { type SourceFolder, sourceLines } from '../../src/source/source-lines.ts'

/**
 * Shows changes on the lines of the source that declare what they are about, as far as the source is there and they can
 * be found. It never fails the step.
 */
export async function annotateSource(
  { judgement }: MigrationReport,
  path: string | undefined,
  environment: Environment
): Promise<void> {
  const changes = worstFirst(judgement?.changes ?? []).filter(({ verdict }) => severities[verdict] !== undefined)
  if (changes.length === 0) return
  const source = await sourceOf(path, workspaceOf(environment))
  if (source === undefined) return
  const lines = await sourceLines(changes, source)
  annotate(
    changes.flatMap((change): Annotation[] => {
      const place = lines.get(change.id)
      const severity = severities[change.verdict]
      return place && severity ? [{ severity, title: titles[severity], message: messageFor(change), place }] : []
    })
  )
}

/** A manual change fails the step by an error of its own; what is compatible needs nobody's eye. */
const severities: Readonly<Record<Verdict, Annotation['severity'] | undefined>> = {
  none: undefined,
  compatible: undefined,
  'breaks-clients': 'warning',
  manual: 'error'
}

const titles = { warning: 'Breaks clients that run now', error: "Can't be migrated in place" } as const

function messageFor({ subject, what, before, after, note }: Change): string {
  const transition = before !== undefined && after !== undefined ? ` (${before} → ${after})` : ''
  return [`${subject.kind.replaceAll('-', ' ')} ${subject.name}: ${what}${transition}.`, note].filter(Boolean).join(' ')
}

/** Where `build-module` would find the one module of this repository. */
async function sourceOf(path: string | undefined, workspace: string): Promise<SourceFolder | undefined> {
  try {
    const { builds } = await planBuilds({ path, environment: undefined, workspace })
    const [build, ...others] = builds
    if (build === undefined || others.length > 0) return undefined
    const { folder, language } = build.project
    return { folder, repository: workspace, language }
  } catch (error) {
    log(`No annotations on the source: ${messageOf(error)}`)
    return undefined
  }
}
