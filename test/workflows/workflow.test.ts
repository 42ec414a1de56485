import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { standInFor } from './stand-in-actions.ts'
import { readWorkflow, workflowFiles } from './workflow.ts'

describe.each(workflowFiles)('%s', (file) => {
  test('is run whole by a test', () => {
    expect(existsSync(join(import.meta.dirname, file.replace('.yml', '.workflow.ts')))).toBe(true)
  })

  test('uses no action of others that nothing stands in for', () => {
    const uses = [...readWorkflow(file).jobs.values()].flatMap((job) => job.uses)
    expect(uses.length).toBeGreaterThan(0)
    for (const use of uses) if (use.repository !== 'org/stdb-actions') standInFor(use)
  })
})

test('what is not stood in for is said', () => {
  const use = { repository: 'actions/checkout', path: '', ref: 'v1', inputs: ['ref', 'refs'] }
  expect(() => standInFor(use)).toThrow('the stand-in for actions/checkout has no input refs')
  expect(() => standInFor({ ...use, repository: 'actions/other' })).toThrow('no stand-in for actions/other@v1')
})
