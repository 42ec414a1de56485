import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { z } from 'zod'
import { withTables } from '../../scripts/action-readme.ts'
import { actionYaml } from '../../scripts/action-yaml.ts'
import { actionSpecs } from '../../scripts/repository.ts'
import { defineAction } from '../../src/action/spec.ts'

const root = resolve(import.meta.dirname, '../..')
const copy = mkdtempSync(join(tmpdir(), 'generate-'))

afterAll(() => rmSync(copy, { recursive: true }))

const spec = defineAction({
  name: 'try-out',
  title: 'Try: out',
  description: 'A "try".',
  branding: { icon: 'box', color: 'blue' },
  permissions: [{ name: 'contents', access: 'read', when: 'always' }],
  inputs: {
    one: { description: 'First | one.', schema: z.string().describe('`a` or `b`'), required: true },
    two: { description: 'Second.', schema: z.string().describe('any'), default: 'false' }
  },
  outputs: { three: { description: 'Third.', values: ['x', 'y'] } }
})

describe('action.yml', () => {
  test('says what the spec says, with texts that stay texts', () => {
    expect(parse(actionYaml({ ...spec, post: true }, '../dist'))).toEqual({
      name: 'Try: out',
      description: 'A "try".',
      branding: { icon: 'box', color: 'blue' },
      inputs: {
        one: { description: 'First | one. Allowed: `a` or `b`.', required: true },
        two: { description: 'Second. Allowed: any.', required: false, default: 'false' }
      },
      outputs: { three: { description: 'Third. One of: x, y.' } },
      runs: {
        using: 'node24',
        main: '../dist/try-out.js',
        post: '../dist/try-out-post.js',
        'post-if': 'always()'
      }
    })
  })

  test('has no post step where there is none', () => {
    expect(Object.keys(parse(actionYaml(spec, '..')).runs)).toEqual(['using', 'main'])
  })

  test('has the expressions that the runner is to evaluate as defaults', () => {
    const inputs = { four: { description: 'Fourth.', schema: z.string().describe('any'), expression: 'github.token' } }
    expect(parse(actionYaml({ ...spec, inputs }, '..')).inputs.four.default).toBe(`\${{ github.token }}`)
  })

  test('of every action holds no other expression, which a runner would try to evaluate', async () => {
    for (const each of await actionSpecs()) {
      const yaml = actionYaml(each, '..').replace(/^ {4}default: \$\{\{ [a-z.]+ \}\}$/gm, '')
      expect(yaml).not.toContain('${{')
    }
  })
})

describe("a README's tables", () => {
  const readme = `# By hand\n\n${['inputs', 'outputs', 'permissions'].map((name) => `<!-- ${name} -->\nold\n<!-- /${name} -->\n`).join('by hand\n')}`

  test('are replaced, and what is written by hand is kept', () => {
    const text = withTables(readme, spec)
    expect(text).toContain('| `one` | First \\| one. | `a` or `b` | **required** |')
    expect(text).toContain('| `two` | Second. | any | `false` |')
    expect(text).toContain('| `three` | Third. One of `x`, `y`. |')
    expect(text).toContain('| `contents: read` | always |')
    expect(text).not.toContain('old')
    expect(text.match(/by hand/gi)).toHaveLength(3)
    expect(withTables(text, spec)).toBe(text)
  })

  test('need their markers', () => {
    expect(() => withTables(readme.replace('<!-- /outputs -->', ''), spec)).toThrow('<!-- /outputs -->')
  })
})

describe('the check for drift', () => {
  function check() {
    const args = ['--import', 'tsx', 'scripts/generate.ts', '--check', '--root', copy]
    return spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  }

  test('names the file and what to run', () => {
    for (const folder of ['actions', 'schemas']) cpSync(join(root, folder), join(copy, folder), { recursive: true })
    expect(check()).toMatchObject({ status: 0, stderr: '' })

    const yaml = join(copy, 'actions/deploy/action.yml')
    writeFileSync(yaml, readFileSync(yaml, 'utf8').replace('node24', 'node20'))
    const { status, stderr } = check()
    expect(status).toBe(1)
    expect(stderr).toContain(yaml)
    expect(stderr).toContain('npm run generate')
  })

  test('sees to the schemas of files too', () => {
    const schema = join(copy, 'schemas/steps.schema.json')
    rmSync(schema)
    expect(check()).toMatchObject({ status: 1, stderr: expect.stringContaining(schema) })
  })
})
