import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, describe, expect, test } from '@jest/globals'
import { removeLibrary, runStep, type StepRun } from './step.ts'

afterAll(removeLibrary)

const spec = `defineAction({
  name: 'try-out', title: 'Try out', description: 'A try.', branding: { icon: 'box', color: 'blue' }, permissions: [],
  inputs: { 'a-b': { description: 'Something.', schema: text('a text') },
            secret: { description: 'A secret.', schema: text('a secret'), secret: true } },
  outputs: { 'one-thing': { description: 'One.' }, other: { description: 'Other.' } }
})`

function run(phase: string, options?: Parameters<typeof runStep>[1]): Promise<StepRun> {
  return runStep(`await runAction(${spec}, ${phase})`, options)
}

function errors({ commands }: StepRun) {
  return commands.filter(({ name }) => name === 'error')
}

describe('a step that passes', () => {
  test('has its inputs and sets its outputs', async () => {
    const step = await run(
      `async ({ aB }, step) => {
      step.setOutputs({ other: 'early' })
      return { outputs: { oneThing: aB + '\\nand more' } }
    }`,
      { env: { 'INPUT_A-B': 'given' } }
    )
    expect(step.exitCode).toBe(0)
    expect(errors(step)).toEqual([])
    expect(step.output).toMatch(/^other<<(\S+)\nearly\n\1\none-thing<<(\S+)\ngiven\nand more\n\2\n$/)
  })
})

test.each([
  ['passes', 0, '{ outputs: {} }'],
  ['fails', 1, `{ outputs: {}, failure: { title: 'T', message: 'the reason' } }`]
])('a step that %s ends although something is under way still', async (_name, exitCode, outcome) => {
  const startedAt = Date.now()
  const step = await run(`async () => { setTimeout(() => {}, 60_000); return ${outcome} }`)
  expect(step.exitCode).toBe(exitCode)
  expect(Date.now() - startedAt).toBeLessThan(30_000)
})

describe('a step that fails', () => {
  const failures: Record<string, string> = {
    'a result that is a failure': `return { outputs: { other: 'set' }, failure: { title: 'T', message: 'the reason' } }`,
    'a wrong configuration': `throw new ConfigurationError('the reason')`,
    'a server that can not be used': `throw new ServerFailure('unreachable', 'the reason')`,
    'an error': `throw new TypeError('the reason')`,
    'a text that is thrown': `throw 'the reason'`,
    'nothing that is thrown': `throw undefined`,
    'an object that is thrown': `throw { toString() { return 'the reason' } }`,
    'a rejection that nobody waits for': `Promise.reject(new Error('the reason')); await new Promise((done) => setTimeout(done, 5_000))`,
    'an error in a timer': `setTimeout(() => { throw new Error('the reason') }); await new Promise((done) => setTimeout(done, 5_000))`
  }

  test.each(Object.entries(failures))('by %s: one annotation, exit code 1, no stack', async (name, body) => {
    const step = await run(`async () => { ${body}; return { outputs: {} } }`)
    expect(step.exitCode).toBe(1)
    expect(errors(step)).toHaveLength(1)
    expect(errors(step)[0]?.text).toMatch(name.startsWith('nothing') ? /./ : /^the reason/)
    expect(step.stdout + step.stderr).not.toMatch(/^\s*at /m)
    expect(step.stderr).toBe('')
  })

  test('sets its outputs all the same', async () => {
    const step = await run(`async () => ({ outputs: { other: 'set' }, failure: { title: 'T', message: 'M' } })`)
    expect(step.output).toContain('other<<')
    expect(errors(step)).toEqual([{ name: 'error', properties: 'title=T', text: 'M' }])
  })

  test('says more where debug logging is on', async () => {
    const step = await run(`async () => { throw new Error('the reason') }`, { env: { RUNNER_DEBUG: '1' } })
    expect(step.commands.find(({ name }) => name === 'debug')?.text).toMatch(/Error: the reason\n\s+at /)
    expect(errors(step)).toHaveLength(1)
  })

  test('keeps a message of a megabyte short', async () => {
    const step = await run(`async () => { throw new Error('x'.repeat(1_000_000)) }`)
    expect(errors(step)[0]?.text.length).toBeLessThan(5_000)
  })
})

describe('a post step', () => {
  const post = `await runPost(${spec.replace('defineAction({', 'defineAction({ rules: [{ about: [], holds: () => false, message: "wrong" }],')},
    async () => { log('finished it'); return { outputs: {} } })`

  test('does nothing when there is no state, whatever its inputs are', async () => {
    const step = await runStep(post)
    expect(step).toMatchObject({ exitCode: 0, commands: [] })
    expect(step.stdout).not.toContain('finished it')
  })

  test('is a step like any other when there is', async () => {
    const step = await runStep(post, { env: { STATE_undo: '{}' } })
    expect(errors(step)).toMatchObject([{ text: 'wrong' }])
  })
})

describe('secrets', () => {
  const secret = 'first "line"/+&\r\nsecond–lîne'
  const forms = [
    'first "line"/+&',
    'second–lîne',
    JSON.stringify(secret).slice(1, -1),
    Buffer.from(secret).toString('base64'),
    Buffer.from(secret).toString('base64url'),
    Buffer.from('second–lîne').toString('base64'),
    encodeURIComponent(secret)
  ]

  test('are masked in every form, before anything else is printed', async () => {
    const step = await run(`async ({ secret }) => { log(secret); return { outputs: {} } }`, {
      env: { INPUT_SECRET: secret }
    })
    const masks = step.commands.filter(({ name }) => name === 'add-mask').map(({ text }) => text)
    expect(masks).toEqual(expect.arrayContaining(forms))
    expect(masks).not.toContain('')
    const lastMask = step.stdout.lastIndexOf('::add-mask::')
    expect(step.stdout.indexOf('\nfirst "line"')).toBeGreaterThan(lastMask)
  })

  test('are masked even when another input is wrong', async () => {
    const strict = spec.replace(`schema: text('a text')`, `schema: flag()`)
    const step = await runStep(`await runAction(${strict}, async () => ({ outputs: {} }))`, {
      env: { INPUT_SECRET: 'hush', 'INPUT_A-B': 'maybe' }
    })
    expect(step.commands[0]).toMatchObject({ name: 'add-mask' })
    expect(errors(step)).toHaveLength(1)
  })
})

describe('a step that is cancelled', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)('by %s is told so and ends by itself', async (signal) => {
    const phase = `async (inputs, { cancellation }) => {
      log('ready, ' + cancellation.requested)
      await new Promise((done) => { const open = setInterval(() => {}, 1_000)
        cancellation.signal.addEventListener('abort', () => { clearInterval(open); done(undefined) }) })
      return { outputs: { other: cancellation.name + ' ' + cancellation.requested } }
    }`
    const step = await run(phase, { signal })
    expect(step.exitCode).toBe(0)
    expect(step.stdout).toContain('ready, false')
    expect(step.output).toContain(`${signal} true`)
  })
})

describe('what is printed', () => {
  test('is never taken for a command', async () => {
    const step = await run(`async () => {
      log('::error::no\\n  ::set-output name=a::b\\nplain ::x:: ##[error]no\\n')
      return { outputs: {} }
    }`)
    expect(step.commands).toEqual([])
    expect(step.stdout).not.toMatch(/^\s*::(error|set-output|add-mask)/m)
    expect(step.stdout).not.toContain('##[')
    expect(step.stdout).toContain('plain ::x::')
  })

  test('has at most ten warnings that are annotations', async () => {
    const step = await run(`async () => {
      for (let i = 1; i <= 12; i += 1) warn('W', 'number ' + i)
      return { outputs: {} }
    }`)
    expect(step.commands.filter(({ name }) => name === 'warning')).toHaveLength(10)
    expect(step.stdout).toContain('Warning: W: number 12')
  })
})

describe('an ID token', () => {
  test('needs a permission, and the message shows it', async () => {
    const step = await run(`async (inputs, { environment }) => {
      await requestIdToken('a', environment)
      return { outputs: {} }
    }`)
    const [error] = errors(step)
    expect(error?.text).toContain('permissions:\n  contents: read\n  id-token: write')
    expect(error?.text).toContain('fork')
    expect(error?.properties).toContain('configuration')
  })

  const request = `async (inputs, { environment }) => {
    const token = await requestIdToken('https://a b', environment)
    return { outputs: { other: String(token.length) } }
  }`

  test('is fresh, for the audience, and masked', async () => {
    const asked: (string | undefined)[] = []
    const github = await listen((incoming, answer) => {
      asked.push(incoming.url, incoming.headers.authorization)
      answer.end(JSON.stringify({ value: 'the.id.token' }))
    })
    const step = await run(request, { env: idTokenVariables(github) })
    github.close()
    expect(step.output).toContain('\n12\n')
    expect(asked).toEqual(['/token?x=1&audience=https%3A%2F%2Fa%20b', 'Bearer request-token'])
    expect(step.stdout.replace(/^::add-mask::.*$/gm, '')).not.toContain('the.id.token')
    expect(step.commands).toContainEqual({ name: 'add-mask', properties: '', text: 'the.id.token' })
  })

  test('may be refused, which is told with what to do', async () => {
    const github = await listen((_, answer) => answer.writeHead(403).end('{"message":"no such job"}'))
    const step = await run(request, { env: idTokenVariables(github) })
    github.close()
    expect(errors(step)).toHaveLength(1)
    expect(errors(step)[0]?.text).toMatch(/^GitHub gave no ID token for this job: .*no such job.*Run the job again/)
    expect(step.stdout).not.toContain('request-token')
  })

  async function listen(answer: RequestListener): Promise<Server> {
    const server = createServer(answer)
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    return server
  }

  function idTokenVariables(github: Server): Record<string, string> {
    const { port } = github.address() as AddressInfo
    return {
      ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${port}/token?x=1`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'request-token'
    }
  }
})

describe('state', () => {
  const define = `const state = defineState('undo', (await import('zod')).z.object({ hash: (await import('zod')).z.string() }))`

  test('goes from the main step to the post step', async () => {
    const main = await runStep(`${define}\nstate.save({ hash: 'a' })\nstate.save({ hash: 'b\\n"c"' })`)
    const saved = [...main.state.matchAll(/^undo<<(\S+)\n(.*)\n\1$/gm)].at(-1)?.[2] ?? ''
    const post = await runStep(`${define}\nlog(JSON.stringify(state.read(process.env)))`, {
      env: { STATE_undo: saved }
    })
    expect(JSON.parse(post.stdout)).toEqual({ hash: 'b\n"c"' })
  })

  test('may not be there, and must be of the right form', async () => {
    const none = await runStep(`${define}\nlog(String(state.read({})))`)
    expect(none.stdout.trim()).toBe('undefined')
    const wrong = await runStep(`${define}\ntry { state.read({ STATE_undo: '{"h' }) } catch (e) { log(e.name) }`)
    expect(wrong.stdout.trim()).toBe('ConfigurationError')
  })
})

describe('a summary', () => {
  test('is added to the file, and a failure to is a warning', async () => {
    const step = await runStep(`await writeSummary('# One', process.env); await writeSummary('Two', process.env)`)
    expect(step.summary).toBe('# One\n\nTwo\n')
    const failing = await runStep(`await writeSummary('x', { GITHUB_STEP_SUMMARY: '/no/such/folder/file' })`)
    expect(failing.commands.map(({ name }) => name)).toEqual(['warning'])
    expect(failing.exitCode).toBe(0)
  })
})

describe('where no runner reads what is printed', () => {
  test('no secret is printed to have it masked, and errors are to be read by people', async () => {
    const step = await runStep(
      `maskSecretInputs({ inputs: { token: { secret: true } } }, { INPUT_TOKEN: 'hush-hush' })
      annotateFailure('Build failed', 'two\\nlines')`,
      { env: { GITHUB_ACTIONS: '' } }
    )
    expect(step).toMatchObject({ exitCode: 1, commands: [] })
    expect(step.stdout).not.toContain('hush')
    expect(step.stdout).toContain('error: Build failed: two\nlines')
  })
})
