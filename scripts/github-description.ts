import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './repository.ts'

/**
 * Makes the fixture by which tests judge what is sent to GitHub: the operations below and what they refer to, out of
 * GitHub's own description of its REST API, without texts for people. Its argument is the file `api.github.com.json` of
 * the npm package `@octokit/openapi`, which is too large to be a dependency:
 *
 *     (cd /tmp/github && npm i @octokit/openapi)
 *     npx tsx scripts/github-description.ts /tmp/github/node_modules/@octokit/openapi/generated/api.github.com.json
 */
const operations = [
  'actions/download-artifact',
  'actions/get-artifact',
  'actions/get-workflow-run',
  'actions/list-artifacts-for-repo',
  'actions/list-workflow-run-artifacts',
  'issues/create',
  'issues/create-comment',
  'issues/delete-comment',
  'issues/get-comment',
  'issues/list-comments',
  'issues/list-for-repo',
  'issues/update',
  'issues/update-comment',
  'pulls/get',
  'pulls/list',
  'repos/create-deployment',
  'repos/create-deployment-status',
  'repos/create-or-update-environment',
  'repos/delete-an-environment',
  'repos/delete-deployment',
  'repos/get',
  'repos/get-all-environments',
  'repos/get-deployment',
  'repos/get-deployment-status',
  'repos/get-environment',
  'repos/get-latest-release',
  'repos/get-release',
  'repos/get-release-asset',
  'repos/get-release-by-tag',
  'repos/list-deployment-statuses',
  'repos/list-deployments',
  'repos/list-release-assets',
  'repos/list-releases'
]

/** `example` stays: it is what a property looks like. */
const texts = new Set(['description', 'summary', 'examples', 'externalDocs', 'tags', 'title'])

type Json = unknown
type Tree = { readonly [name: string]: Json }

function isTree(value: Json): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Inside `properties` a name is a property's, whatever it is. */
function withoutTexts(value: Json, isNames = false): Json {
  if (Array.isArray(value)) return value.map((each) => withoutTexts(each))
  if (!isTree(value)) return value
  const kept = Object.entries(value).filter(([name]) => isNames || !(texts.has(name) || name.startsWith('x-')))
  return Object.fromEntries(kept.map(([name, each]) => [name, withoutTexts(each, !isNames && name === 'properties')]))
}

function operationsOf(description: Tree): Tree {
  const paths = Object.entries(description.paths as Tree).map(([path, item]) => {
    const wanted = Object.entries(item as Tree).filter(
      ([, operation]) => isTree(operation) && operations.includes(String(operation.operationId))
    )
    return [path, withoutTexts(Object.fromEntries(wanted))] as const
  })
  return Object.fromEntries(paths.filter(([, item]) => Object.keys(item as Tree).length > 0))
}

/** The components that are referred to, directly or by others, as `#/components/KIND/NAME`. */
function componentsOf(description: Tree, paths: Tree): Tree {
  const found: Record<string, Record<string, Json>> = {}
  const follow = (value: Json): void => {
    for (const [, kind = '', name = ''] of JSON.stringify(value).matchAll(/"#\/components\/(\w+)\/([^"]+)"/g)) {
      found[kind] ??= {}
      if (Object.hasOwn(found[kind], name)) continue
      const component = withoutTexts(((description.components as Tree)[kind] as Tree)[name])
      found[kind][name] = component
      follow(component)
    }
  }
  follow(paths)
  return found
}

const [source = ''] = process.argv.slice(2)
const description = JSON.parse(readFileSync(source, 'utf8')) as Tree
const paths = operationsOf(description)
const { openapi, info } = description
const subset = { openapi, info, paths, components: componentsOf(description, paths) }
const text = JSON.stringify(subset)
const missing = operations.filter((operation) => !text.includes(`"${operation}"`))
if (missing.length > 0) throw new Error(`There is no operation ${missing.join(', ')}`)
writeFileSync(join(root, 'test/fixtures/github-description.json'), `${text}\n`)
