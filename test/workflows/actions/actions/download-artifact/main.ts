import { join, resolve } from 'node:path'
import { DefaultArtifactClient } from '@actions/artifact'
import { getBooleanInput, getInput, setOutput } from '@actions/core'

/** One artifact by its name; without a name all, each in a folder of its own. */
const client = new DefaultArtifactClient()
const path = resolve(getInput('path') || '.')
const name = getInput('name')
const token = getInput('github-token')
const [repositoryOwner = '', repositoryName = ''] = getInput('repository').split('/')
const findBy = { token, repositoryOwner, repositoryName, workflowRunId: Number(getInput('run-id')) }
const where = token === '' ? {} : { findBy }

if (name !== '') {
  const { artifact } = await client.getArtifact(name, where)
  await client.downloadArtifact(artifact.id, { path, ...where })
} else {
  const { artifacts } = await client.listArtifacts({ latest: true, ...where })
  for (const artifact of artifacts) {
    const own = getBooleanInput('merge-multiple') ? path : join(path, artifact.name)
    await client.downloadArtifact(artifact.id, { path: own, ...where })
  }
}
setOutput('download-path', path)
