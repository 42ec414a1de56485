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

/** Workflows, jobs' steps and single steps in a Markdown file; other YAML is nobody's to judge here. */
function blocksIn(file: string, markdown: string): WorkflowDocument[] {
  const blocks = [...markdown.matchAll(/^```ya?ml\n(.*?)^```$/gms)]
  return blocks.flatMap(({ index, 1: text = '' }) => {
    const linesBefore = markdown.slice(0, index).split('\n').length
    const content: unknown = parseDocument(text).toJS()
    if (Array.isArray(content)) {
      const prefix = 'on: push\njobs:\n  shown:\n    runs-on: ubuntu-latest\n    steps:\n'
      const steps = text.replace(/^(?=.)/gm, '      ')
      return [
        { file, linesBefore: linesBefore - prefix.split('\n').length + 1, kind: 'workflow', text: prefix + steps }
      ]
    }
    // CircleCI's have jobs too, and a version.
    const isWorkflow = typeof content === 'object' && content !== null && 'jobs' in content && !('version' in content)
    return isWorkflow ? [{ file, linesBefore, kind: 'workflow', text }] : []
  })
}
