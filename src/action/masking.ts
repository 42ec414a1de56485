import * as core from '@actions/core'
import type { Environment } from './inputs.ts'
import { givenText } from './inputs.ts'
import { isOnRunner } from './runner.ts'
import type { ActionSpec } from './spec.ts'

/** Masks what was given for the secret inputs of an action. To be called before anything is printed. */
export function maskSecretInputs(spec: ActionSpec, environment: Environment): void {
  for (const [name, input] of Object.entries(spec.inputs)) {
    const secret = input.secret ? givenText(name, environment) : undefined
    if (secret !== undefined) maskSecret(secret)
  }
}

/**
 * Has the runner replace a secret in the log, in every form in which it may get there: a runner compares texts, line
 * by line, so each line and each usual encoding is a secret of its own. Elsewhere nobody would replace it, and asking for
 * it would print it.
 */
export function maskSecret(secret: string): void {
  if (!isOnRunner()) return
  for (const form of formsOf(secret)) core.setSecret(form)
}

/** A secret and what it becomes in JSON, base64 and URLs, longest first. */
export function formsOf(secret: string): string[] {
  const lines = secret.split(/\r?\n/).map((line) => line.trim())
  const forms = [secret, secret.trim(), ...lines].filter((line) => line !== '').flatMap(encodings)
  return [...new Set(forms)].sort((a, b) => b.length - a.length)
}

function encodings(text: string): string[] {
  const bytes = Buffer.from(text)
  return [
    text,
    JSON.stringify(text).slice(1, -1),
    bytes.toString('base64'),
    bytes.toString('base64url'),
    encodeURIComponent(bytes.toString())
  ]
}
