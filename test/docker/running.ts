import { ProgramMissing, type Ran, runProgram } from '../../src/process.ts'

type Where = { readonly folder?: string; readonly environment?: Readonly<Record<string, string | undefined>> }

/** Runs a program to its end, in this process's environment by default. */
export function run(program: string, args: readonly string[], where: Where = {}): Promise<Ran> {
  return runProgram({ program, args, environment: process.env, ...where }, { timeout: 600_000 })
}

/** What a program printed; an Error with what it complained about when it failed. */
export async function must(program: string, args: readonly string[], where: Where = {}): Promise<string> {
  const { exitCode, stdout, stderr } = await run(program, args, where)
  if (exitCode !== 0) throw new Error(`${program} ${args.join(' ')} failed (${exitCode}): ${stderr}${stdout}`)
  return stdout
}

/** Whether a program is there. */
export async function isInstalled(program: string): Promise<boolean> {
  try {
    await run(program, ['--version'])
    return true
  } catch (error) {
    if (error instanceof ProgramMissing) return false
    throw error
  }
}
