import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { Job, runAction } from './runner.ts'
import { LeakedSecret } from './secrets.ts'

const actions = mkdtempSync(join(tmpdir(), 'actions-'))
let count = 0

afterAll(() => rmSync(actions, { recursive: true, force: true }))

/** Makes an action of ES modules; returns its name. */
function makeAction(scripts: { main: string; post?: string }): string {
  const name = `action-${++count}`
  const folder = join(actions, name)
  mkdirSync(folder)
  for (const [phase, code] of Object.entries(scripts)) writeFileSync(join(folder, `${phase}.mjs`), code)
  const post = scripts.post === undefined ? '' : ', post: post.mjs'
  const inputs = '{ token: {}, health-check: { default: auto }, two words: { default: "" } }'
  writeFileSync(join(folder, 'action.yml'), `inputs: ${inputs}\nruns: { using: node24, main: main.mjs${post} }\n`)
  return name
}

const run = (main: string, options: Partial<Parameters<typeof runAction>[0]> = {}) =>
  runAction({ action: makeAction({ main }), actions, inputs: {}, ...options })

describe('what an action is given', () => {
  test('inputs with the defaults of action.yml, by the names that the runner makes', async () => {
    const { main } = await run(
      `for (const name in process.env) if (name.startsWith('INPUT_')) console.log(name + '=' + process.env[name])`,
      { inputs: { token: 'given' } }
    )
    expect(main.lines.map(({ text }) => text).sort()).toEqual([
      'INPUT_HEALTH-CHECK=auto',
      'INPUT_TOKEN=given',
      'INPUT_TWO_WORDS='
    ])
  })

  test('no input that it does not declare', async () => {
    await expect(run('', { inputs: { tokn: 'x' } })).rejects.toThrow('no input tokn')
  })

  test("the runner's variables, the event and nothing of this process's environment", async () => {
    process.env.OF_THIS_PROCESS = 'x'
    const { main } = await run(
      `import { readFileSync } from 'node:fs'
       const { env } = process
       console.log(JSON.stringify([env.OF_THIS_PROCESS ?? null, process.cwd() === env.GITHUB_WORKSPACE, env.EXTRA, env.CI ?? null]))
       console.log(env.GITHUB_EVENT_NAME, readFileSync(env.GITHUB_EVENT_PATH, 'utf8'))`,
      { env: { EXTRA: 'more', CI: undefined }, event: { name: 'release', payload: { action: 'published' } } }
    )
    expect(main.log).toBe('[null,true,"more",null]\nrelease {"action":"published"}')
  })
})

describe('what an action gives back', () => {
  test('outputs, variables, paths and the summary through files', async () => {
    const { main } = await run(`
      import { appendFileSync } from 'node:fs'
      const { env } = process
      appendFileSync(env.GITHUB_OUTPUT, 'one=1=1\\ntwo<<END\\nfirst\\n\\nsecond\\nEND\\n')
      appendFileSync(env.GITHUB_ENV, 'name=value\\n')
      appendFileSync(env.GITHUB_PATH, '/opt/x\\n')
      appendFileSync(env.GITHUB_STEP_SUMMARY, '# Done\\n')`)
    expect(main.outputs).toEqual({ one: '1=1', two: 'first\n\nsecond' })
    expect(main.env).toEqual({ name: 'value' })
    expect(main.path).toEqual(['/opt/x'])
    expect(main.summary).toBe('# Done\n')
  })

  test.each(['two<<END\nfirst\n', 'neither\n'])('no output that the runner would refuse: %j', async (text) => {
    const main = `import { appendFileSync } from 'node:fs'
      appendFileSync(process.env.GITHUB_OUTPUT, ${JSON.stringify(text)})`
    await expect(run(main)).rejects.toThrow(/Invalid (format|value)/)
  })

  test('its exit code and what it left behind', async () => {
    const { main } = await run(`
      import { writeFileSync } from 'node:fs'
      writeFileSync(process.env.RUNNER_TEMP + '/left.txt', '')
      process.exit(3)`)
    expect(main).toMatchObject({ exitCode: 3, signal: null, files: ['temp/left.txt'], leftProcesses: false })
  })

  test('whether it left a process running', async () => {
    const { main } = await run(`
      import { spawn } from 'node:child_process'
      spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)'], { stdio: 'ignore' }).unref()`)
    expect(main.leftProcesses).toBe(true)
  })

  test('annotations and masked lines, with escapes undone', async () => {
    const { main } = await run(`
      console.log('::error title=No%3A%2C really,file=a.ts::50%25 of%0Aall')
      console.log('::add-mask::hunter2-hunter2')
      console.log('so hunter2-hunter2 it is')
      console.error('::warning::from stderr')
      console.log('::group::Plan')
      console.log('std::error::is no command')`)
    expect(main.annotations).toEqual([
      { level: 'error', title: 'No:, really', file: 'a.ts', message: '50% of\nall' },
      { level: 'warning', title: undefined, file: undefined, message: 'from stderr' }
    ])
    expect(main.log.split('\n')).toEqual(
      expect.arrayContaining(['##[error]50% of', 'so *** it is', '▸ Plan', 'std::error::is no command'])
    )
  })
})

describe('a post step', () => {
  const main = `import { appendFileSync } from 'node:fs'
    appendFileSync(process.env.GITHUB_STATE, 'step=published\\n')`

  test('gets state and inputs, whatever came of the main step', async () => {
    const post = `console.log(process.env.STATE_step, process.env.INPUT_TOKEN)`
    const action = makeAction({ main: `${main}; process.exit(1)`, post })
    const result = await runAction({ action, actions, inputs: { token: 'abc' } })
    expect(result.main.exitCode).toBe(1)
    expect(result.post?.log).toBe('published abc')
  })

  test('runs after a kill, with the state that was saved until then', async () => {
    const action = makeAction({ main: `${main}; console.log('saved'); setTimeout(() => {}, 30_000)`, post: '' })
    const job = new Job({ actions })
    const step = job.start({ action, inputs: {}, onLine: () => step.kill() })
    expect(await step.result).toMatchObject({ exitCode: null, signal: 'SIGKILL', state: { step: 'published' } })
    expect(await job.post()).toMatchObject([{ exitCode: 0 }])
    job.end()
  })
})

describe('what the runner fills in', () => {
  const action = (name: string, expression: string) => {
    const folder = join(actions, name)
    mkdirSync(folder)
    const show = `console.log(process.env.INPUT_GIVEN)`
    writeFileSync(join(folder, 'main.mjs'), show)
    writeFileSync(join(folder, 'post.mjs'), show)
    const inputs = `{ given: { default: "\${{ ${expression} }}" } }`
    writeFileSync(
      join(folder, 'action.yml'),
      `inputs: ${inputs}\nruns: { using: node24, main: main.mjs, post: post.mjs }\n`
    )
    return name
  }

  test('the token of the job', async () => {
    const { main } = await runAction({
      action: action('token', 'github.token'),
      actions,
      inputs: {},
      githubToken: 'ghs_x'
    })
    expect(main.log).toBe('ghs_x')
  })

  test('the status of the job, as it is in each phase', async () => {
    const job = new Job({ actions })
    const main = await job.run({ action: action('status', 'job.status'), inputs: {} })
    await job.run({ action: makeAction({ main: 'process.exit(1)' }), inputs: {} })
    const [post] = await job.post()
    job.end()
    expect([main.log, post?.log]).toEqual(['success', 'failure'])
  })

  test('nothing that is not known here', async () => {
    const job = new Job({ actions })
    expect(() => job.start({ action: action('unknown', 'runner.os'), inputs: {} })).toThrow(/does not know runner\.os/)
    job.end()
  })

  test('PATH, with what earlier steps added, the last first', async () => {
    const add = `import { appendFileSync } from 'node:fs'
      appendFileSync(process.env.GITHUB_PATH, '/opt/one\\n/opt/two\\n')`
    const job = new Job({ actions })
    await job.run({ action: makeAction({ main: add }), inputs: {} })
    const { log } = await job.run({ action: makeAction({ main: 'console.log(process.env.PATH)' }), inputs: {} })
    job.end()
    expect(log).toMatch(/^\/opt\/two:\/opt\/one:/)
  })
})

describe('a cancelled step', () => {
  const grace = { afterInterrupt: 300, afterTerminate: 200 }
  const cancel = async (handlers: string) => {
    const job = new Job({ actions, grace })
    const main = `${handlers}; console.log('ready'); setTimeout(() => {}, 30_000)`
    const onLine = ({ text }: { text: string }) => text === 'ready' && step.cancel()
    const step = job.start({ action: makeAction({ main }), inputs: {}, onLine })
    const result = await step.result
    job.end()
    return result
  }

  test('gets SIGINT first', async () => {
    const result = await cancel(`process.on('SIGINT', () => { console.log('bye'); process.exit(0) })`)
    expect(result).toMatchObject({ exitCode: 0, log: 'ready\nbye' })
  })
  test('gets SIGTERM when it goes on', async () => {
    expect(await cancel(`process.on('SIGINT', () => {})`)).toMatchObject({ signal: 'SIGTERM' })
  })
  test('is killed in the end', async () => {
    const result = await cancel(`process.on('SIGINT', () => {}); process.on('SIGTERM', () => {})`)
    expect(result).toMatchObject({ signal: 'SIGKILL' })
  })
})

test('a step that never ends is killed, and says what it printed', async () => {
  const endless = run(`console.log('waiting'); setInterval(() => {}, 1000)`, { deadline: 700 })
  await expect(endless).rejects.toThrow(/still ran after 700 ms.*waiting/s)
})

describe('a secret', () => {
  const secret = 'eyJhbGciOi.eyJzdWIi.c2lnbmF0dXJlLW9m'
  const secrets = () => [secret]
  const inputs = { token: secret }
  const write = (variable: string) => `import { appendFileSync } from 'node:fs'
    appendFileSync(process.env.${variable}, 'x=' + process.env.INPUT_TOKEN + '\\n')`
  const spawnNode = (args: string, env: string) => `import { spawnSync } from 'node:child_process'
    spawnSync(process.execPath, ${args}, { env: ${env} })`
  const idle = `'-e', 'setTimeout(() => {}, 300)'`

  test('may be printed once it is masked', async () => {
    const { main } = await run(
      `console.log('::add-mask::' + process.env.INPUT_TOKEN); console.log(process.env.INPUT_TOKEN)`,
      {
        inputs,
        secrets
      }
    )
    expect(main.log).toBe('***')
  })

  test.each([
    [
      'printed before it is masked',
      `console.log(process.env.INPUT_TOKEN); console.log('::add-mask::' + process.env.INPUT_TOKEN)`
    ],
    ['on stderr', `console.error('no: ' + process.env.INPUT_TOKEN)`],
    ['in an annotation', `console.log('::error::bad token ' + process.env.INPUT_TOKEN)`],
    ['in a command that shows nothing', `console.log('::set-output name=x::' + process.env.INPUT_TOKEN)`],
    ['by its signature', `console.log(process.env.INPUT_TOKEN.split('.')[2])`],
    ['in base64', `console.log(Buffer.from('Bearer ' + process.env.INPUT_TOKEN).toString('base64'))`],
    ['in an output', write('GITHUB_OUTPUT')],
    ['in the state', write('GITHUB_STATE')],
    ['in a variable', write('GITHUB_ENV')],
    ['in the summary', write('GITHUB_STEP_SUMMARY')],
    ['in a file', `import { writeFileSync } from 'node:fs'; writeFileSync('t.txt', process.env.INPUT_TOKEN)`],
    ['in the arguments of a child process', spawnNode(`[${idle}, process.env.INPUT_TOKEN]`, '{}')],
    ['in the environment of a child process', spawnNode(`[${idle}]`, 'process.env')]
  ])('is found %s', async (where, main) => {
    if (where.endsWith('child process') && process.platform !== 'linux') return
    await expect(run(main, { inputs, secrets })).rejects.toThrow(LeakedSecret)
  })

  test('may be in a file that is for it, and in no other', async () => {
    const filesForSecrets = [/^commands\/\d+\/output$/]
    const { main } = await run(write('GITHUB_OUTPUT'), { inputs, secrets, filesForSecrets })
    expect(main.outputs.x).toBe(secret)
    await expect(run(write('GITHUB_STATE'), { inputs, secrets, filesForSecrets })).rejects.toThrow(LeakedSecret)
  })

  test('is not told by the error that reports it', async () => {
    const error: unknown = await run(`console.log(process.env.INPUT_TOKEN)`, { inputs, secrets }).catch(
      (thrown) => thrown
    )
    expect(error).toBeInstanceOf(LeakedSecret)
    expect(String(error)).not.toContain(secret)
  })
})
