import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from '@jest/globals'
import { parse } from 'yaml'

type Job = { readonly environment?: string; readonly concurrency?: Group }
type Group = { readonly group: string }
type Inputs = Readonly<Record<string, unknown>>
type Workflow = {
  readonly on: { readonly workflow_dispatch?: { readonly inputs?: Inputs } | null }
  readonly concurrency?: Group
  readonly jobs: Readonly<Record<string, Job>>
}

const dryRunApart = expression("inputs.dry-run && '-dry-run' || ''")
const environmentAsked = expression('inputs.environment')

/** The concurrency group of each job that publishes to the environment `production`, as it is written. */
const groups = readdirSync(folder()).flatMap((file) => {
  if (!file.endsWith('.yml')) return []
  const { on, concurrency, jobs } = parse(readFileSync(join(folder(), file), 'utf8')) as Workflow
  const hasDryRun = Object.hasOwn(on.workflow_dispatch?.inputs ?? {}, 'dry-run')
  return Object.values(jobs)
    .filter(({ environment = '' }) => ['production', environmentAsked].includes(environment))
    .map((job) => ({ file, hasDryRun, group: (job.concurrency ?? concurrency)?.group ?? '' }))
})

test('whatever changes production has one group, so that no two do it at a time', () => {
  const files = groups.filter(({ group }) => named(group) === 'deploy-production').map(({ file }) => file)
  expect(files).toEqual(['keyless.yml', 'promote.yml', 'release-production.yml', 'rollback.yml', 'with-client-app.yml'])
  expect(groups.filter(({ file }) => !files.includes(file))).toEqual([
    // Of each database one.
    { file: 'multi-database.yml', hasDryRun: false, group: `deploy-production-${expression('matrix.target.database')}` }
  ])
})

test('a dry run has another, so that it neither waits for a release nor takes the place of one that waits', () => {
  expect(groups.filter(({ hasDryRun }) => hasDryRun)).toHaveLength(3)
  for (const { group, hasDryRun } of groups) expect(group.includes(dryRunApart)).toBe(hasDryRun)
})

function named(group: string): string {
  return group.replace(dryRunApart, '').replace(environmentAsked, 'production')
}

function expression(text: string): string {
  return `$\{{ ${text} }}`
}

function folder(): string {
  return resolve(import.meta.dirname, '../../workflows-examples')
}
