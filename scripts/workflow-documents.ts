import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parseDocument } from 'yaml'

/** A workflow, or an action.yml, to be checked. */
export type WorkflowDocument = {
  /** The file it is in, relative to the repository's root. */
  readonly file: string
  /** What of the file is before it. */
  readonly linesBefore: number
  readonly kind: 'workflow' | 'action'
  readonly text: string
}

/** All workflows that a repository runs or shows: files to run and to copy, YAML in Markdown, and its actions. */
export function workflowDocuments(root: string): WorkflowDocument[] {
  const files = filesUnder(root, '')
  return files.flatMap((file) => {
    const text = () => readFileSync(join(root, file), 'utf8')
    if (/^(\.github\/workflows|workflows-examples)\/[^/]+\.ya?ml$/.test(file)) return [whole(file, 'workflow', text())]
    if (/^actions\/[^/]+\/action\.yml$/.test(file)) return [whole(file, 'action', text())]
    return file.endsWith('.md') ? blocksIn(file, text()) : []
  })
}

const elsewhere = ['.git', 'build', 'dist', 'node_modules', 'test']

function filesUnder(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = relative(root, join(root, folder, entry.name)).replaceAll('\\', '/')
    if (entry.isFile()) return [path]
    return entry.isDirectory() && !elsewhere.includes(path) ? filesUnder(root, path) : []
  })
}

function whole(file: string, kind: WorkflowDocument['kind'], text: string): WorkflowDocument {
  return { file, linesBefore: 0, kind, text }
}

/** Workflows and parts of them in a Markdown file; other YAML is nobody's to judge here. */
function blocksIn(file: string, markdown: string): WorkflowDocument[] {
  return yamlBlocks(markdown).flatMap(({ linesBefore, text }) => {
    const workflow = workflowAround(text)
    return workflow === undefined
      ? []
      : [{ file, linesBefore: linesBefore - workflow.linesBefore, kind: 'workflow', text: workflow.text }]
  })
}

/** YAML that is shown in Markdown. In a list it is set in; here it is not. */
export function yamlBlocks(markdown: string): { readonly linesBefore: number; readonly text: string }[] {
  const blocks = [...markdown.matchAll(/^( *)```ya?ml\n(.*?)^\1```$/gms)]
  return blocks.map(({ index, 1: indent = '', 2: text = '' }) => ({
    linesBefore: markdown.slice(0, index).split('\n').length,
    text: text.replace(new RegExp(`^ {${indent.length}}`, 'gm'), '')
  }))
}

const workflowKeys = ['name', 'run-name', 'on', 'permissions', 'env', 'defaults', 'concurrency']

/** The workflow that a text is, or is a part of: steps, or what is said at a workflow's top. `undefined` for other YAML. */
export function workflowAround(text: string): { readonly linesBefore: number; readonly text: string } | undefined {
  const content: unknown = parseDocument(text).toJS()
  if (Array.isArray(content)) {
    const isSteps = content.every(
      (item) => typeof item === 'object' && item !== null && ('uses' in item || 'run' in item)
    )
    return isSteps ? after(`on: push\n${job}`, text.replace(/^(?=.)/gm, '      ')) : undefined
  }
  if (typeof content !== 'object' || content === null) return undefined
  // CircleCI's have jobs too, and a version.
  if ('version' in content) return undefined
  if ('jobs' in content) return 'on' in content ? after('', text) : after('on: push\n', text)
  const isTop = Object.keys(content).every((key) => workflowKeys.includes(key))
  return isTop ? after('on' in content ? '' : 'on: push\n', `${text}\n${job}      - run: 'true'\n`) : undefined
}

const job = 'jobs:\n  shown:\n    runs-on: ubuntu-latest\n    steps:\n'

function after(before: string, text: string) {
  return { linesBefore: before.split('\n').length - 1, text: before + text }
}
