import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { DefaultArtifactClient } from '@actions/artifact'
import { getBooleanInput, getInput, getMultilineInput, setFailed, setOutput, warning } from '@actions/core'

/** As the real one, a file's path in the artifact begins below what all paths have in common. */
const paths = getMultilineInput('path').map((path) => resolve(path))
const files = paths.flatMap(filesIn)
const missing = `No files were found with the provided path: ${paths.join(', ')}`
const [first = ''] = files

if (files.length > 0) {
  const client = new DefaultArtifactClient()
  const name = getInput('name')
  if (getBooleanInput('overwrite')) await client.deleteArtifact(name).catch(() => undefined)
  const folder =
    paths.length === 1 && statSync(paths[0] ?? '').isDirectory() ? (paths[0] ?? '') : common(files, dirname(first))
  const { id, digest } = await client.uploadArtifact(name, files, folder)
  setOutput('artifact-id', id)
  setOutput('artifact-digest', digest)
} else if (getInput('if-no-files-found') === 'error') setFailed(missing)
else warning(missing)

function filesIn(path: string): string[] {
  if (!existsSync(path)) return []
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path).flatMap((name) => filesIn(join(path, name)))
}

function common(files: readonly string[], folder: string): string {
  const holdsAll = files.every((file) => dirname(file) === folder || file.startsWith(join(folder, '/')))
  return holdsAll ? folder : common(files, dirname(folder))
}
