import { join, relative } from 'node:path'
import { expect, test } from '@jest/globals'
import { findLockFile } from '../../src/build/lock-file.ts'
import type { ModuleLanguage } from '../../src/module-language.ts'
import { type Files, scratch } from './files.ts'

const { folder } = scratch()

test.each<[title: string, language: ModuleLanguage, files: Files, found: string | undefined]>([
  ['the project’s own', 'typescript', { 'server/package-lock.json': '{}' }, 'server/package-lock.json'],
  [
    'of several the one that the CLI installs by',
    'typescript',
    { 'server/package-lock.json': '{}', 'server/bun.lock': '{}', 'server/pnpm-lock.yaml': '' },
    'server/pnpm-lock.yaml'
  ],
  [
    "a workspace's",
    'typescript',
    { 'package-lock.json': '{}', 'package.json': '{"workspaces": ["server"]}' },
    'package-lock.json'
  ],
  ["pnpm's workspace's", 'typescript', { 'pnpm-lock.yaml': '', 'pnpm-workspace.yaml': '' }, 'pnpm-lock.yaml'],
  ['not one of another package above', 'typescript', { 'package-lock.json': '{}', 'package.json': '{}' }, undefined],
  ["cargo's, of the workspace above", 'rust', { 'Cargo.lock': '' }, 'Cargo.lock'],
  ["NuGet's, beside the project", 'csharp', { 'server/packages.lock.json': '{}' }, 'server/packages.lock.json'],
  ["not NuGet's of a project above", 'csharp', { 'packages.lock.json': '{}' }, undefined]
])('%s', async (_, language, files, found) => {
  const workspace = await folder(files)
  const project = { folder: join(workspace, 'server'), language }
  const lock = await findLockFile(project, workspace)
  expect(lock && relative(workspace, lock.path)).toBe(found)
})
