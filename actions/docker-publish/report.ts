import { code, codeBlock, sections, table } from '../../src/markdown.ts'
import type { Plan } from '../image-plan.ts'
import type { Published } from '../image-publish.ts'

export type Reported = {
  readonly plan: Plan
  readonly published: Published
  readonly platforms: readonly string[]
  readonly moduleHash: string | undefined
  readonly moduleArtifact: string | undefined
  readonly smoke: boolean
}

/** The job summary, as Markdown: what was made, where it is, and how it is run. */
export function renderPublished(reported: Reported): string {
  const { plan, published } = reported
  const [{ name }] = plan.images
  const parts = [
    `## ${headlineOf(name, reported)}`,
    published.kind === 'bad' && `${published.reason} No tag was moved.`,
    plan.heldBack && `It was not pushed: ${plan.heldBack}.`,
    renderFacts(reported),
    published.kind === 'pushed' && runIt(`${name}@${published.digest}`)
  ]
  return `${sections(parts)}\n`
}

function headlineOf(name: string, { published, smoke }: Reported): string {
  const tried = smoke ? ' and tried' : ''
  switch (published.kind) {
    case 'pushed':
      return `✅ ${code(name)} was built${tried}, and pushed`
    case 'built':
      return `✅ ${code(name)} was built${tried}, and not pushed`
    case 'bad':
      return `❌ ${code(name)} does not serve its module`
  }
}

function renderFacts({ plan, published, platforms, moduleHash, moduleArtifact }: Reported): string {
  const rows: [string, string | undefined][] = [
    ['Digest', published.kind === 'pushed' ? code(published.digest) : undefined],
    ['Tags', published.kind === 'bad' ? undefined : plan.names.map(code).join('<br>')],
    ['Platforms', platforms.length === 0 ? undefined : platforms.map(code).join(', ')],
    ['Module', moduleHash && code(moduleHash)],
    ['Module alone', moduleArtifact && code(moduleArtifact)],
    ['Commit', plan.commit && code(plan.commit)]
  ]
  const known = rows.filter((row): row is [string, string] => Boolean(row[1]))
  return table(['', ''], known)
}

function runIt(image: string): string {
  const command = `docker run --env SPACETIMEDB_DATABASE=my-game --volume my-game:/data --publish 3000:3000 \\\n  ${image}`
  return codeBlock(command)
}
