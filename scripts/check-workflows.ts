import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { validate } from '@actions/languageservice'
import type { ActionMetadata, ActionReference } from '@actions/languageservice/action'
import { TextDocument } from 'vscode-languageserver-textdocument'
import { parse } from 'yaml'
import { root } from './repository.ts'
import { type WorkflowDocument, workflowDocuments } from './workflow-documents.ts'
import { brokenRules } from './workflow-rules.ts'

/** Checks every workflow that the repository runs or shows: with GitHub's own language service, and by rules of our own. */
const { values: options } = parseArgs({ options: { root: { type: 'string', default: root } } })
const folder = resolve(options.root)

const documents = workflowDocuments(folder)
const complaints = (await Promise.all(documents.map(complaintsAbout))).flat()
for (const complaint of complaints) console.error(complaint)
if (complaints.length > 0) process.exitCode = 1
else console.log(`${documents.length} workflows and actions are right.`)

/** A line for each thing that is wrong: `file:line: what`. */
async function complaintsAbout(shown: WorkflowDocument): Promise<string[]> {
  const { file, linesBefore, kind, text } = shown
  // One name for each: what was parsed is kept by it.
  const name =
    kind === 'action' ? `${dirname(file)}/action.yml` : `.github/workflows/${basename(file)}-${linesBefore}.yml`
  const document = TextDocument.create(`file:///${name}`, 'yaml', 1, text)
  const diagnostics = await validate(document, { actionsMetadataProvider: { fetchActionMetadata } })
  const found = diagnostics
    .map(({ range, message }) => ({
      line: range.start.line + 1,
      message: typeof message === 'string' ? message : message.value,
      about: document.getText(range)
    }))
    .filter((each) => !isVariableOfAStep(each))
  return [...found, ...brokenRules(shown)].map(({ line, message }) => `${file}:${linesBefore + line}: ${message}`)
}

/** Of the variables that a step may set for later ones nothing is known. */
function isVariableOfAStep({ message, about }: { readonly message: string; readonly about: string }): boolean {
  return message.startsWith('Context access might be invalid') && /\benv\.\w+/.test(about)
}

/** Of this repository's own actions, as a workflow elsewhere names them; of others nothing is known. */
async function fetchActionMetadata({ name, path }: ActionReference): Promise<ActionMetadata | undefined> {
  if (name !== 'stdb-actions') return { name, description: '' }
  const yaml = join(folder, 'actions', path ?? '', 'action.yml')
  return existsSync(yaml) ? (parse(readFileSync(yaml, 'utf8')) as ActionMetadata) : undefined
}
