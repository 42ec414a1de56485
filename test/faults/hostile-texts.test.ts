import { afterAll, expect, test } from '@jest/globals'
import { startStage } from '../runner/stage.ts'
import { type Journey, journeys, travel } from './journeys.ts'

const [update] = journeys as [Journey]
const stage = await startStage()

afterAll(() => stage.server.close())

/** Commands for the runner, and Markdown and HTML for the summary. */
const hostile =
  'no\n::error title=injected::injected\r::add-mask::no\n##[group]injected\n<img src=x> | `a` **b** [c](https://d)'

test.concurrent.each([
  ['the health check', { path: /call\/health_check/ }, 530],
  ['the plan', { path: /pre_publish/ }, 500],
  ['the publish', { method: 'PUT' }, 400]
])('what an answer to %s says is only text', async (_, match, status) => {
  const headers = { 'content-type': 'text/plain', 'spacetime-identity': '00' }
  const { main } = await travel(stage, update, [{ match, fault: { kind: 'answer', status, headers, body: hostile } }])
  expect(main.exitCode).toBe(1)
  expect(main.annotations.filter(({ level }) => level === 'error')).toHaveLength(1)
  expect(main.annotations.filter(({ title }) => title === 'injected')).toEqual([])
  expect(main.commands.filter(({ name, message }) => name === 'add-mask' && message === 'no')).toEqual([])
  expect(main.lines.filter(({ text }) => text.startsWith('##['))).toEqual([])
  expect(main.summary).toContain('injected')
  expect(main.summary).not.toMatch(/(?<!\\)(<img|\*\*b|\[c\])/)
})
