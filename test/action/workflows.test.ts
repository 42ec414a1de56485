import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { workflowDocuments } from '../../scripts/workflow-documents.ts'

const root = resolve(import.meta.dirname, '../..')
const project = mkdtempSync(join(tmpdir(), 'workflows-'))
const example = readFileSync(join(root, 'workflows-examples/preview.yml'), 'utf8')
const mistakes = [
  {
    mistake: 'an input that the action does not have',
    at: /^ *auth: oidc$/m,
    text: '          auht: oidc',
    named: 'auht'
  },
  {
    mistake: 'an action that there is not',
    at: /stdb-actions\/preview@v1/,
    text: 'stdb-actions/perview@v1',
    named: 'perview'
  },
  { mistake: 'a required input that is missing', at: /^ *server: .*\n/m, text: '', named: '`server`' },
  { mistake: 'a permission that there is not', at: /id-token: write/, text: 'id-tokens: write', named: 'id-tokens' },
  {
    mistake: 'a context that there is not',
    at: /\bsteps\.build\.outputs/,
    text: 'stepz.build.outputs',
    named: 'stepz'
  }
]
const markdown = `# Use

\`\`\`yaml
- uses: org/stdb-actions/preview@v1
  with:
    server: local
    modul: b
\`\`\`

\`\`\`yaml
not: a workflow
\`\`\`
`

for (const action of ['setup-spacetimedb', 'build-module', 'preview']) {
  const metadata = join('actions', action, 'action.yml')
  cpSync(join(root, metadata), join(project, metadata))
}
write('docs/use.md', markdown)
for (const [index, { at, text }] of mistakes.entries()) {
  write(`workflows-examples/${index}.yml`, example.replace(at, text))
}
const { status, stderr } = check(project)
const complaints = stderr.trim().split('\n')

afterAll(() => rmSync(project, { recursive: true }))

describe('the check of workflows', () => {
  test('finds nothing wrong in what this repository runs and shows', () => {
    expect(check(root)).toMatchObject({ status: 0, stderr: '' })
    const files = workflowDocuments(root).map(({ file }) => file)
    expect(files).toEqual(
      expect.arrayContaining([
        '.github/workflows/ci.yml',
        'README.md',
        'actions/deploy/README.md',
        'actions/deploy/action.yml',
        'workflows-examples/deploy.yml'
      ])
    )
  })

  test.each(mistakes.map((each, index) => ({ ...each, index })))('finds $mistake', ({ index, named }) => {
    const found = complaints.filter((line) => line.startsWith(`workflows-examples/${index}.yml:`))
    expect(found).not.toEqual([])
    for (const complaint of found) expect(complaint).toContain(named)
  })

  test('looks into Markdown, and tells the line', () => {
    expect(complaints.filter((line) => line.startsWith('docs/')).sort()).toEqual([
      'docs/use.md:5: Missing required input `prefix`',
      "docs/use.md:7: Invalid action input 'modul'"
    ])
  })

  test('fails when it found something', () => {
    expect(status).toBe(1)
  })
})

function check(folder: string) {
  const args = ['--import', 'tsx', 'scripts/check-workflows.ts', '--root', folder]
  return spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
}

function write(file: string, text: string): void {
  mkdirSync(dirname(join(project, file)), { recursive: true })
  writeFileSync(join(project, file), text)
}
