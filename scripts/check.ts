import { spawnSync } from 'node:child_process'
import { root } from './repository.ts'

/** What has to hold of every commit besides its tests. All are tried, so that one run tells everything. */
const checks = {
  types: ['node_modules/typescript/bin/tsc', '-p', '.'],
  'types of the program that describes modules': [
    'node_modules/typescript/bin/tsc',
    '-p',
    'tsconfig.describe-child.json'
  ],
  'style and direction of imports': ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.'],
  'generated files': ['--import', 'tsx', 'scripts/generate.ts', '--check'],
  workflows: ['--import', 'tsx', 'scripts/check-workflows.ts'],
  'inputs and outputs, against the last release': ['--import', 'tsx', 'scripts/check-interface.ts'],
  'dist, and the licences of what is in it': ['--import', 'tsx', 'scripts/build.ts', '--check'],
  'size of a release': ['--import', 'tsx', 'scripts/check-size.ts'],
  'known vulnerabilities in dist': ['--import', 'tsx', 'scripts/check-advisories.ts']
}

const failed = Object.entries(checks).filter(([name, args]) => !passes(name, args))
console.log(failed.length === 0 ? 'All is well.' : `Wrong: ${failed.map(([name]) => name).join(', ')}.`)
process.exitCode = failed.length === 0 ? 0 : 1

function passes(name: string, args: readonly string[]): boolean {
  console.log(`${name} …`)
  return spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status === 0
}
