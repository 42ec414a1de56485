import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { getInput, setFailed, setOutput } from '@actions/core'

/** Clones the test's repository (`STAND_IN_REPOSITORY`), whole, into the workspace. */
const { GITHUB_REPOSITORY, GITHUB_SHA = '', GITHUB_WORKSPACE = '', STAND_IN_REPOSITORY = '' } = process.env
const folder = join(GITHUB_WORKSPACE, getInput('path'))
const ref = getInput('ref')
const git = (...args: string[]) => execFileSync('git', ['-C', folder, ...args], { encoding: 'utf8' }).trim()

if (getInput('repository') !== GITHUB_REPOSITORY)
  setFailed(`this stand-in knows no repository but ${GITHUB_REPOSITORY}`)
else {
  git('init', '--quiet')
  git('fetch', '--quiet', '--tags', STAND_IN_REPOSITORY, '+refs/heads/*:refs/remotes/origin/*')
  git(
    '-c',
    'advice.detachedHead=false',
    'checkout',
    '--quiet',
    '--force',
    ref.replace(/^refs\/heads\//, 'origin/') || GITHUB_SHA
  )
  setOutput('ref', ref)
  setOutput('commit', git('rev-parse', 'HEAD'))
}
