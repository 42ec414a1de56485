import semver from 'semver'
import { branchOf, type GitEvent, gitTagOf, isBeforeMerge } from './git-event.ts'
import { parseTagRules, type TagRule, type TagType, wrong } from './tag-rule.ts'
import { fillIn, type Values, valuesOf } from './tag-template.ts'

/**
 * The rules when nobody gives any: all of the version for a Git tag such as `v1.2.3`, and unless it is a prerelease what it
 * begins with; the branch, `pr-N`, the commit; `latest` for the default branch. A Git tag doesn't move `latest`.
 */
export const defaultTagRules = [
  'type=semver,pattern={{version}}',
  'type=semver,pattern={{major}}.{{minor}}',
  'type=semver,pattern={{major}}',
  'type=ref,event=branch',
  'type=ref,event=pr',
  'type=sha',
  'type=raw,value=latest,enable={{is_default_branch}}'
].join('\n')

/**
 * The tags of an image, those with the highest priority first, each once. `rules` is the input `tags`; `now` in milliseconds
 * since the epoch. Unlike docker/metadata-action it adds nothing that no rule asks for (its `latest=auto`). Throws a
 * `ConfigurationError` for rules that are wrong.
 */
export function imageTags(rules: string | undefined, event: GitEvent, now: number): string[] {
  return tagsOf(parseTagRules(rules ?? defaultTagRules), event, now)
}

/**
 * Like `imageTags`, those that may be pushed: before the merge only what is the change's own, its number and its commit. What
 * others follow, such as `latest` or a version, stays where it is.
 */
export function pushedTags(rules: string | undefined, event: GitEvent, now: number): string[] {
  const isOwn = ({ type, attributes }: TagRule) => type === 'sha' || (type === 'ref' && attributes.event === 'pr')
  const all = parseTagRules(rules ?? defaultTagRules)
  return tagsOf(isBeforeMerge(event) ? all.filter(isOwn) : all, event, now)
}

function tagsOf(rules: readonly TagRule[], event: GitEvent, now: number): string[] {
  const values = valuesOf(event)
  const made = rules.flatMap((rule) => tagOf(rule, { event, values, now }))
  const sorted = made.sort((a, b) => b.priority - a.priority)
  return [...new Set(sorted.map(({ tag }) => tag))]
}

type Circumstances = { readonly event: GitEvent; readonly values: Values; readonly now: number }

/** https://github.com/docker/metadata-action#priority-attribute */
const usualPriority: Readonly<Record<TagType, number>> = { schedule: 1000, semver: 900, ref: 600, raw: 200, sha: 100 }

type MadeTag = { readonly tag: string; readonly priority: number }

/** None where the rule is for another event, or not enabled. */
function tagOf(rule: TagRule, circumstances: Circumstances): MadeTag[] {
  const { line, attributes, type } = rule
  const fill = (text: string) => fillIn(text, { line, ...circumstances })
  if (!isEnabled(rule, fill)) return []
  const base = baseOf(rule, circumstances)
  if (base === undefined) return []
  const prefix = attributes.prefix ?? usualPrefix(rule)
  const tag = asTag(`${fill(prefix)}${base}${fill(attributes.suffix ?? '')}`)
  if (tag === '') throw wrong(line, 'makes an empty tag for this event.')
  return [{ tag, priority: Number(attributes.priority ?? usualPriority[type]) }]
}

function isEnabled({ line, attributes }: TagRule, fill: (text: string) => string): boolean {
  const word = fill(attributes.enable ?? 'true').toLowerCase()
  if (word !== 'true' && word !== 'false')
    throw wrong(line, `has \`enable=${word}\`. Allowed are \`true\` and \`false\`.`)
  return word === 'true'
}

function usualPrefix({ type, attributes }: TagRule): string {
  if (type === 'sha') return 'sha-'
  return type === 'ref' && attributes.event === 'pr' ? 'pr-' : ''
}

function baseOf(rule: TagRule, circumstances: Circumstances): string | undefined {
  const { line, attributes, type } = rule
  const { event } = circumstances
  switch (type) {
    case 'schedule':
      if (event.name !== 'schedule') return undefined
      return fillIn(attributes.pattern ?? 'nightly', { line, ...circumstances })
    case 'semver':
      return versionTag(rule, circumstances)
    case 'ref':
      return refTag(attributes.event, event)
    case 'raw':
      return fillIn(attributes.value ?? '', { line, ...circumstances })
    case 'sha':
      return attributes.format === 'long' ? event.commit : event.commit.slice(0, 7)
  }
}

function refTag(kind: string | undefined, event: GitEvent): string | undefined {
  if (kind === 'branch') return branchOf(event)
  if (kind === 'tag') return gitTagOf(event)
  return event.pullRequest === undefined ? undefined : String(event.pullRequest)
}

/** A prerelease is only ever named as a whole: what it begins with belongs to releases. */
function versionTag({ line, attributes }: TagRule, { event, values, now }: Circumstances): string | undefined {
  const pattern = attributes.pattern ?? ''
  const value = attributes.value === undefined ? undefined : fillIn(attributes.value, { line, values, now })
  const given = value ?? gitTagOf(event)
  if (given === undefined || given === '') return undefined
  const parsed = semver.parse(given)
  if (parsed === null) {
    if (value === undefined) return undefined
    throw wrong(line, `has \`value=${value}\`, which is no version such as \`1.2.3\`.`)
  }
  const { version, major, minor, patch } = parsed
  const parts = { version, raw: given, major: String(major), minor: String(minor), patch: String(patch) }
  const whole = parsed.prerelease.length === 0 || /\{\{\s*(raw|version)\s*\}\}/.test(pattern)
  return fillIn(whole ? pattern : '{{version}}', { line, values: { ...values, ...parts }, now })
}

/** As the OCI grammar wants it: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests */
function asTag(text: string): string {
  return text
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[.-]+/, '')
    .slice(0, 128)
}
