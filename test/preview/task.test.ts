import { describe, expect, test } from '@jest/globals'
import { type TaskInputs, taskOf } from '../../actions/preview/task.ts'

const pullRequest = (action: string, number = 7) => ({ action, number, pull_request: { number } })
const by = (inputs: Partial<TaskInputs>): TaskInputs => ({ mode: undefined, pullRequest: undefined, ...inputs })

describe('what is to be done', () => {
  test.each<[string, Partial<TaskInputs>, string, unknown, object]>([
    ['opened', {}, 'pull_request', pullRequest('opened'), { kind: 'update', number: 7, isByEvent: true }],
    ['pushed to', {}, 'pull_request', pullRequest('synchronize'), { kind: 'update', number: 7, isByEvent: true }],
    ['reopened', {}, 'pull_request', pullRequest('reopened'), { kind: 'update', number: 7, isByEvent: true }],
    ['ready', {}, 'pull_request', pullRequest('ready_for_review'), { kind: 'update', number: 7, isByEvent: true }],
    ['closed', {}, 'pull_request', pullRequest('closed'), { kind: 'delete', number: 7, isByEvent: true }],
    [
      'closed, target',
      {},
      'pull_request_target',
      pullRequest('closed'),
      { kind: 'delete', number: 7, isByEvent: true }
    ],
    ['a schedule', {}, 'schedule', {}, { kind: 'cleanup' }],
    ['cleanup by hand', { mode: 'cleanup' }, 'workflow_dispatch', {}, { kind: 'cleanup' }],
    ['cleanup by an event', { mode: 'cleanup' }, 'pull_request', pullRequest('opened'), { kind: 'cleanup' }],
    [
      'update by hand',
      { mode: 'update', pullRequest: 9 },
      'workflow_dispatch',
      {},
      { kind: 'update', number: 9, isByEvent: false }
    ],
    [
      'delete by hand, of an open one',
      { mode: 'delete' },
      'pull_request',
      pullRequest('labeled'),
      { kind: 'delete', number: 7, isByEvent: false }
    ],
    [
      'the same number twice',
      { pullRequest: 7 },
      'pull_request',
      pullRequest('closed'),
      { kind: 'delete', number: 7, isByEvent: true }
    ]
  ])('%s', (_name, inputs, event, payload, expected) => {
    expect(taskOf(by(inputs), event, payload)).toEqual(expected)
  })
})

describe('what nobody has said is not guessed', () => {
  test.each<[string, Partial<TaskInputs>, string | undefined, unknown, RegExp]>([
    ['another event', {}, 'push', {}, /input `mode`.*and is `push`/],
    ['no run at all', {}, undefined, undefined, /input `mode`/],
    ['a workflow that is called', { pullRequest: 7 }, 'workflow_dispatch', {}, /input `mode`/],
    ['no number', { mode: 'delete' }, 'workflow_dispatch', {}, /input `pull-request`/],
    ['an event of another shape', {}, 'pull_request', { action: 'closed' }, /input `pull-request`/],
    ['a number too many', { mode: 'cleanup', pullRequest: 7 }, 'schedule', {}, /does not go with `mode: cleanup`/],
    ['two numbers', { pullRequest: 8 }, 'pull_request', pullRequest('closed'), /is `8`, and the event is about #7/],
    [
      'an event that can not be read',
      { mode: 'update' },
      'pull_request',
      undefined,
      /Say by the input `pull-request` which one it is about/
    ]
  ])('%s', (_name, inputs, event, payload, says) => {
    expect(() => taskOf(by(inputs), event, payload)).toThrow(says)
  })
})
