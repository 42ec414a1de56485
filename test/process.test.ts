import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from '@jest/globals'
import { ConfigurationError } from '../src/errors.ts'
import { type Command, ProgramMissing, type RunOptions, runProgram } from '../src/process.ts'
import { isRunning } from '../src/setup/server-process.ts'

const environment = { PATH: process.env.PATH, MARK: 'here' }

const node = (script: string, ...args: string[]) => ({
  program: process.execPath,
  args: ['-e', script, ...args],
  environment
})

describe('a program', () => {
  test('gets its arguments as they are, its folder and its variables and no others', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'program-'))
    const args = ['a b', '$HOME', '"', '*', '']
    const script = `console.log(JSON.stringify([process.argv.slice(1), process.cwd(), process.env.MARK, 'HOME' in process.env]))`
    const { stdout, exitCode } = await runProgram({ ...node(script, ...args), folder })
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toEqual([args, folder, 'here', false])
  })

  test('is heard line by line while it runs, and both streams are kept', async () => {
    const lines: string[] = []
    const { exitCode, stdout, stderr } = await runProgram(
      node(`process.stdout.write('one\\r\\ntwo'); process.stderr.write('three\\n'); process.exitCode = 7`),
      { onLine: (line, stream) => lines.push(`${stream}: ${line}`) }
    )
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 7, stdout: 'one\ntwo\n', stderr: 'three\n' })
    expect(lines.sort()).toEqual(['stderr: three', 'stdout: one', 'stdout: two'])
  })

  test('that is not there is named, as something that the user can mend', async () => {
    const running = runProgram({ program: 'no-such-program', args: [], environment })
    await expect(running).rejects.toThrow(ProgramMissing)
    await expect(running).rejects.toThrow(ConfigurationError)
    await expect(running).rejects.toThrow('`no-such-program` was not found')
  })

  /** Starts a child of its own, says so, and ends only when killed. */
  const stubborn = `process.on('SIGTERM', () => {})
    require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' })
    setInterval(() => {}, 1000); console.log('ready')`

  test('is ended at its time, with what it has started', async () => {
    expect(await runProgram(node(stubborn), { timeout: 500 })).toMatchObject({ endedFor: 'timeout' })
  })

  test('is ended when its signal is aborted, and not begun when it was before', async () => {
    const controller = new AbortController()
    const running = runProgram(node(stubborn), { signal: controller.signal, onLine: () => controller.abort() })
    expect(await running).toMatchObject({ exitCode: undefined, endedFor: 'cancelled' })
    const late = await runProgram(node(`console.log('begun')`), { signal: controller.signal })
    expect(late).toMatchObject({ endedFor: 'cancelled', stdout: '' })
  })

  describe('that has left something behind which holds its pipes', () => {
    /** Says what it has left behind: a session of its own, out of the program's group. */
    const leaving = {
      program: 'sh',
      args: ['-c', 'setsid sleep 25 & printf "%s\\nhalf a line" $!; exit 3'],
      environment
    }
    const left: number[] = []
    afterEach(() => {
      for (const pid of left.splice(0)) process.kill(pid, 'SIGKILL')
    })

    async function runLeaving(options: RunOptions, command: Command = leaving) {
      const begun = Date.now()
      const ran = await runProgram(command, options)
      left.push(Number(ran.stdout.split('\n', 1)[0]))
      return { ...ran, took: Date.now() - begun }
    }

    test.each<[string, RunOptions]>([
      ['without a timeout', {}],
      ['with one', { timeout: 100 }]
    ])('is not waited for, %s', async (_, options) => {
      const { took, exitCode, endedFor, stdout } = await runLeaving(options)
      expect(took).toBeLessThan(10_000)
      expect({ exitCode, endedFor, stdout }).toMatchObject({
        exitCode: 3,
        stdout: /^\d+\nhalf a line\n$/.exec(stdout)?.[0]
      })
    })

    test('is not waited for when it is ended', async () => {
      const waiting = { ...leaving, args: ['-c', 'setsid sleep 25 & echo $!; sleep 25'] }
      const { took, endedFor } = await runLeaving({ timeout: 300 }, waiting)
      expect(took).toBeLessThan(10_000)
      expect(endedFor).toBe('timeout')
    })
  })

  test('is ended with what does not listen, though it ends by itself when asked', async () => {
    const deaf = `trap '' TERM; sh -c 'trap "" TERM; echo $$; while :; do sleep 0.1; done' & trap 'exit 0' TERM; wait`
    const ran = await runProgram({ program: 'sh', args: ['-c', deaf], environment }, { timeout: 500 })
    expect(ran.endedFor).toBe('timeout')
    const deadline = Date.now() + 2_000
    const left = { pid: Number(ran.stdout), logFile: '' }
    while (isRunning(left) && Date.now() < deadline) await sleep(10)
    expect(isRunning(left)).toBe(false)
  })
})
