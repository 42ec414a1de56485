import { expect, test } from '@jest/globals'
import { outcomeOf, readLine } from './act-log.ts'

/** Lines as act 0.2.89 prints them with `--json`, without what is not read. */
const lines = [
  '{"jobID":"a","level":"info","msg":"hello\\n","raw_output":true,"stage":"Main","step":"echo hello"}',
  '{"jobID":"a","level":"info","msg":"  ✅  Success - Main echo hello","stage":"Main","step":"echo hello","stepResult":"success"}',
  '{"command":"summary","content":"# Sum\\n","jobID":"a","level":"info","msg":"  ⚙  Summary - # Sum\\n","stage":"Main","step":"echo hello"}',
  '{"arg":"secret","command":"error","jobID":"a","level":"error","msg":"  ❗  ::error file=a,title=x%3A y::*** is bad%0Aat 100%25\\n","stage":"Main","step":"echo hello"}',
  '{"jobID":"a","jobResult":"failure","level":"info","msg":"🏁  Job failed"}',
  '{"jobID":"a","jobResult":"success","level":"info","msg":"🏁  Job succeeded"}',
  "Error: Job 'a' failed"
].map(readLine)

test('reads what came of a run in what act prints', () => {
  expect(outcomeOf(['a', 'b'], lines)).toMatchObject({
    jobs: { a: 'failure', b: 'skipped' },
    steps: [{ job: 'a', step: 'echo hello', stage: 'Main', result: 'success' }],
    annotations: [{ job: 'a', level: 'error', message: '*** is bad\nat 100%' }],
    summaries: [{ job: 'a', text: '# Sum\n' }]
  })
})

test('the log is what is shown: masked, and nothing of commands besides', () => {
  const { log } = outcomeOf(['a'], lines)
  expect(log).toMatch(/^a: hello\n/)
  expect(log).toContain("act: Error: Job 'a' failed")
  expect(log).not.toContain('secret')
})
