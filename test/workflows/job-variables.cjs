// Loaded into each Node that act starts (NODE_OPTIONS): gives an action what GitHub gives its job, and act to all jobs alike.
const { readFileSync } = require('node:fs')
const { join } = require('node:path')

const { GITHUB_JOB, GITHUB_OUTPUT, STAND_IN_JOBS } = process.env
if (GITHUB_OUTPUT && STAND_IN_JOBS) {
  const { given, token, variables } = JSON.parse(readFileSync(join(STAND_IN_JOBS, `${GITHUB_JOB}.json`), 'utf8'))
  for (const [name, value] of Object.entries(process.env)) {
    if (value.includes(given)) process.env[name] = value.replaceAll(given, token)
  }
  Object.assign(process.env, variables)
  // What the action starts has an environment of the action's own making.
  delete process.env.NODE_OPTIONS
  delete process.env.BASH_ENV
}
