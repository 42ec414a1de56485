import { expect, test } from '@jest/globals'
import { commitOf } from '../../actions/preview/commit.ts'

const run = { GITHUB_SHA: 'merge', GITHUB_REF: 'refs/heads/main' }
const pullRequest = { pull_request: { number: 7, head: { sha: 'head', ref: 'main' } } }

test.each<[string, unknown, object]>([
  ['pull_request', pullRequest, { commit: 'head', ref: 'refs/pull/7/head' }],
  ['push', { ref: 'refs/heads/main' }, { commit: 'merge', ref: 'refs/heads/main' }],
  ['workflow_dispatch', { inputs: {} }, { commit: undefined, ref: undefined }],
  ['workflow_run', { workflow_run: { head_sha: 'head' } }, { commit: undefined, ref: undefined }],
  ['pull_request', undefined, { commit: undefined, ref: undefined }]
])('a preview in a run of %s is of a commit as far as the event %j says', (eventName, payload, expected) => {
  expect(commitOf({ ...run, GITHUB_EVENT_NAME: eventName }, payload)).toEqual(expected)
})
