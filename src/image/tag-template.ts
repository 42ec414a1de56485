import { branchOf, type GitEvent, gitTagOf, isDefaultBranch } from './git-event.ts'
import { wrong } from './tag-rule.ts'

/** What `{{…}}` in a rule stands for, by its name. */
export type Values = Readonly<Record<string, string>>

/** What `{{…}}` may be in any rule: https://github.com/docker/metadata-action#global-expressions. */
export function valuesOf(event: GitEvent): Values {
  return {
    branch: branchOf(event) ?? '',
    tag: gitTagOf(event) ?? '',
    sha: event.commit.slice(0, 7),
    base_ref: event.baseBranch ?? '',
    is_default_branch: String(isDefaultBranch(event))
  }
}

/**
 * A text of a rule with its `{{…}}` filled in, also `{{date 'YYYYMMDD'}}`, which is in UTC. `now` is in milliseconds since the
 * epoch. Throws a `ConfigurationError` for one that is not known.
 */
export function fillIn(text: string, { line, values, now }: { line: string; values: Values; now: number }): string {
  return text.replace(/\{\{(.*?)\}\}/g, (_, inside: string) => {
    const name = inside.trim()
    const value = Object.hasOwn(values, name) ? values[name] : undefined
    if (value !== undefined) return value
    const form = /^date\s+'([^']+)'$/.exec(name)?.[1]
    if (form !== undefined) return dateText(form, new Date(now))
    const known = [...Object.keys(values), "date 'YYYYMMDD'"].map((word) => `\`{{${word}}}\``)
    throw wrong(line, `has \`{{${name}}}\`. Allowed are ${known.join(', ')}.`)
  })
}

function dateText(form: string, date: Date): string {
  const iso = date.toISOString()
  const parts: Readonly<Record<string, string>> = {
    YYYY: iso.slice(0, 4),
    MM: iso.slice(5, 7),
    DD: iso.slice(8, 10),
    HH: iso.slice(11, 13),
    mm: iso.slice(14, 16),
    ss: iso.slice(17, 19)
  }
  return form.replace(/YYYY|MM|DD|HH|mm|ss/g, (part) => parts[part] ?? part)
}
