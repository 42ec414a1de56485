import { expect, test } from '@jest/globals'
import { brokenRules } from '../../scripts/workflow-rules.ts'

const sha = '3d3c42e5aac5ba805825da76410c181273ba90b1'
const good = `# Deploys.
permissions: {}
concurrency: { group: "all-\${{ github.ref }}", cancel-in-progress: true }
jobs:
  deploy:
    timeout-minutes: 20
    permissions:
      contents: read # to check out
    concurrency:
      group: deploy-production
      cancel-in-progress: false
    steps:
      - uses: actions/checkout@${sha} # v7.0.1
      - uses: org/stdb-actions/deploy@v1
      - uses: ./local
      - env:
          NAME: \${{ github.ref_name }}
        run: echo "$NAME"
  other:
    timeout-minutes: 5
    permissions: {}
    steps:
      - run: echo
`

const broken = (text: string, file = 'workflows-examples/a.yml') =>
  brokenRules({ file, linesBefore: 0, kind: 'workflow', text }).map(({ line, message }) => `${line}: ${message}`)

test('a workflow as it should be breaks none', () => {
  expect(broken(good)).toEqual([])
})

test.each<[string, string | RegExp, string, RegExp]>([
  ['no header', '# Deploys.\n', '', /^1: Begin with a comment/],
  [
    'permissions for all jobs',
    'permissions: {}',
    'permissions: { contents: read }',
    /^2: Begin with `permissions: \{\}`/
  ],
  ['none said', 'permissions: {}\n', '', /Begin with `permissions: \{\}`/],
  ['a permission without a reason', ' # to check out', '', /^8: Say behind `contents: read`/],
  ['a job without permissions', '    permissions: {}\n', '', /^20: Give the job `permissions`/],
  ['a job without an end', '    timeout-minutes: 5\n', '', /^20: Give the job `timeout-minutes`/],
  ['a tag that can be moved', `@${sha} # v7.0.1`, '@v7', /^13: Pin `actions\/checkout@v7`/],
  ['a commit of which nobody knows the version', ' # v7.0.1', '', /^13: Pin/],
  ['a short commit', sha, sha.slice(0, 12), /^13: Pin/],
  ['ours by a branch', 'deploy@v1', 'deploy@main', /^14: Show `org\/stdb-actions\/deploy@main`/],
  ['an expression in a script', 'echo "$NAME"', `echo "\${{ github.ref_name }}"`, /^18: Put the expression into `env`/],
  [
    'a release that can be cut off',
    'cancel-in-progress: false',
    'cancel-in-progress: true',
    /^6: Give the job `concurrency`/
  ],
  [
    'releases side by side, of each branch one',
    'group: deploy-production',
    `group: deploy-\${{ github.ref }}`,
    /^6: Give the job `concurrency`/
  ],
  [
    'a module that is built where something may be written',
    / {4}permissions: \{\}\n {4}steps:/,
    '    permissions:\n      packages: write # to push\n    steps:\n      - uses: org/stdb-actions/build-module@v1',
    /^20: Build in a job of its own/
  ],
  [
    'a module that is built in an environment',
    / {4}permissions: \{\}\n {4}steps:/,
    '    permissions: {}\n    environment: production\n    steps:\n      - uses: org/stdb-actions/build-module@v1',
    /^20: Build in a job of its own/
  ],
  ['releases side by side', / {4}concurrency:\n.*\n.*\n/, '', /^6: Give the job `concurrency`/],
  [
    'a plan that is applied',
    / {4}concurrency:\n.*\n.*\n(.|\n)*deploy@v1/,
    '    steps:\n      - { uses: org/stdb-actions/migrate-schema@v1, with: { mode: apply } }',
    /^6: Give the job `concurrency`/
  ]
])('%s', (_, from, to, message) => {
  const text = good.replace(from, to)
  expect(text).not.toBe(good)
  expect(broken(text)).toEqual([expect.stringMatching(message)])
})

test('one release at a time may be said for the whole workflow', () => {
  const text = good
    .replace(/ {4}concurrency:\n.*\n.*\n/, '')
    .replace('cancel-in-progress: true', 'cancel-in-progress: false')
  expect(broken(text)).toEqual([expect.stringMatching(/^6: Give the job `concurrency`/)])
  expect(broken(text.replace(/all-\$\{\{ .* \}\}/, 'deploy-production'))).toEqual([])
})

test('what is shown in Markdown may leave out all but what is dangerous', () => {
  const text = `jobs:\n  a:\n    steps:\n      - uses: actions/checkout@v5\n      - run: echo \${{ github.ref_name }}\n`
  expect(broken(text, 'README.md')).toEqual([expect.stringMatching(/^5: Put the expression/)])
})
