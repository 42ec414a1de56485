import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { systemClock } from '../../src/clock.ts'
import { endOfLog, type LocalServer, startLocalServer } from '../../src/setup/local-server.ts'
import { isRunning, processOf, type ServerProcess, stopProcess } from '../../src/setup/server-process.ts'
import { installPrograms } from '../stand-ins/archives.ts'
import { temporaryFolders } from './folders.ts'

const makeFolder = temporaryFolders()
const environment = { PATH: process.env.PATH, HOME: '/nonexistent' }
const started: ServerProcess[] = []
let program: string

beforeAll(async () => {
  program = (await installPrograms(makeFolder(), '2.8.3'))['spacetimedb-standalone']
})
afterAll(async () => {
  for (const each of started) await stopProcess(each, systemClock)
})

function start(options: Partial<Parameters<typeof startLocalServer>[0]> = {}) {
  const secrets: string[] = []
  const server: Promise<LocalServer> = startLocalServer({
    program,
    folder: join(makeFolder(), 'server'),
    environment,
    clock: systemClock,
    onSecret: (secret) => secrets.push(secret),
    onStarted: (each) => started.push(each),
    ...options
  })
  return { server, secrets }
}

/** A program that does what a shell script says instead. */
function script(text: string): string {
  const file = join(makeFolder(), 'spacetimedb-standalone')
  writeFileSync(file, `#!/bin/sh\n${text}\n`)
  chmodSync(file, 0o755)
  return file
}

describe('a server', () => {
  test('answers with a token of somebody new, which was told as a secret, and can be stopped', async () => {
    const { server, secrets } = start()
    const { url, token, identity, process } = await server
    expect(secrets).toEqual([token])
    const answer = await fetch(`${url}/v1/identity/${identity}/verify`, {
      headers: { authorization: `Bearer ${token}` }
    })
    expect(answer.status).not.toBe(401)
    expect(readFileSync(process.logFile, 'utf8')).toContain(new URL(url).port)
    expect(await stopProcess(process, systemClock)).toBe('stopped')
    await expect(fetch(`${url}/v1/ping`)).rejects.toThrow()
    expect(await stopProcess(process, systemClock)).toBe('gone')
  })

  test('is one of several, each on a port of its own', async () => {
    const servers = await Promise.all([start().server, start().server])
    expect(servers[0]?.url).not.toBe(servers[1]?.url)
    for (const { process } of servers) await stopProcess(process, systemClock)
  })

  test('gets nothing of this environment but what it is given', async () => {
    const folder = join(makeFolder(), 'server')
    const show = script('env; exit 1')
    await expect(start({ program: show, folder, environment: { ONLY: 'this' } }).server).rejects.toThrow(/ONLY=this/)
    expect(readFileSync(join(folder, 'server.log'), 'utf8')).not.toContain('NODE_OPTIONS')
  })
})

describe('a server that does not come up', () => {
  test('because it ends: the end of its log is told', async () => {
    const { server } = start({ program: script('echo "no space left" >&2; exit 3') })
    await expect(server).rejects.toThrow(/does not run: it ended\. The end of its log:\nno space left/)
  })

  test('because it says nothing in time: it is ended', async () => {
    const { server } = start({ program: script('echo waiting; exec sleep 60'), deadline: 300 })
    await expect(server).rejects.toThrow(/did not answer within 0\.3 s\. The end of its log:\nwaiting/)
    expect(isRunning(started.at(-1) as ServerProcess)).toBe(false)
  })

  test('because it is no program', async () => {
    const file = join(makeFolder(), 'spacetimedb-standalone')
    writeFileSync(file, 'x')
    await expect(start({ program: file }).server).rejects.toThrow(/could not be started.*EACCES/)
    await expect(start({ program: `${file}-not` }).server).rejects.toThrow(/could not be started.*ENOENT/)
  })

  test('because the job is cancelled: nothing runs on', async () => {
    const controller = new AbortController()
    const { server } = start({
      program: script('exec sleep 60'),
      signal: controller.signal,
      onStarted: (each) => {
        started.push(each)
        setTimeout(() => controller.abort(), 50)
      }
    })
    await expect(server).rejects.toThrow(/cancelled/)
    expect(isRunning(started.at(-1) as ServerProcess)).toBe(false)
  })

  test('because it has ended, though another program that took its port answers like a server', async () => {
    const other = join(makeFolder(), 'other.mjs')
    writeFileSync(
      other,
      `import { createServer } from 'node:http'
      const [, , address, server] = process.argv
      const body = JSON.stringify({ identity: 'c200' + '0'.repeat(60), token: 'a.b.c' })
      createServer((request, response) => {
        if (!request.url.endsWith('/identity')) return response.end()
        process.kill(Number(server))
        setTimeout(() => response.end(body), 300)
        setTimeout(() => process.exit(), 1000)
      }).listen(address.split(':')[1], '127.0.0.1')`
    )
    const program = script(`${process.execPath} ${other} "$3" $$ &\nexec sleep 60`)
    await expect(start({ program }).server).rejects.toThrow(/does not run: it ended\./)
  })

  test('because each port is taken: after some tries', async () => {
    const log = join(makeFolder(), 'tries')
    const taken = script(`echo "$3" >> ${log}; echo "Port is already in use."; exit 1`)
    await expect(start({ program: taken }).server).rejects.toThrow(/already in use/)
    const ports = readFileSync(log, 'utf8').trim().split('\n')
    expect(ports).toHaveLength(5)
    for (const address of ports) expect(address).toMatch(/^127\.0\.0\.1:\d+$/)
  })
})

describe('a process', () => {
  test('that does not listen is killed', async () => {
    const { spawn } = await import('node:child_process')
    const ready = join(makeFolder(), 'ready')
    const child = spawn('sh', ['-c', `trap '' TERM; touch ${ready}; while :; do sleep 0.05; done`], { stdio: 'ignore' })
    while (!existsSync(ready)) await systemClock.sleep(10)
    let now = 0
    const hasty = {
      ...systemClock,
      now: () => now,
      sleep: async () => {
        now += 1000
      }
    }
    expect(await stopProcess(processOf(child.pid as number, ''), hasty)).toBe('killed')
    await systemClock.sleep(50)
    expect(child.signalCode).toBe('SIGKILL')
  })

  test('that only has its pid is left alone', async () => {
    if (process.platform !== 'linux') return
    const other = { ...processOf(process.pid, ''), startTicks: '1' }
    expect(isRunning(other)).toBe(false)
    expect(await stopProcess(other, systemClock)).toBe('gone')
  })
})

describe('the end of a log', () => {
  test('is its last lines, without tokens', async () => {
    const file = join(makeFolder(), 'log')
    const token = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl'
    writeFileSync(file, Array.from({ length: 20_000 }, (_, line) => `line ${line} ${token}\n`).join(''))
    expect(await endOfLog(file, 2)).toBe('line 19998 ***\nline 19999 ***')
  })

  test('is nothing where there is none', async () => {
    expect(await endOfLog(join(makeFolder(), 'log'))).toBe('')
  })
})
