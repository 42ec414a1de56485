import { generateKeyPairSync } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { importPKCS8, importSPKI } from 'jose'
import type { SigningKeys } from '../../embedded/tokens.ts'
import { Failure } from './arguments.ts'

/** The keys in two PEM files (ES256), which are made when neither is there. */
export async function keysIn(publicPath: string, privatePath: string): Promise<SigningKeys> {
  const existing = [publicPath, privatePath].filter((path) => existsSync(path))
  if (existing.length === 1) throw new Failure(`of the pair of keys only ${existing[0]} exists`)
  if (existing.length === 0) makeKeys(publicPath, privatePath)
  const [publicKey, privateKey] = await Promise.all([
    importSPKI(readFileSync(publicPath, 'utf8'), 'ES256', { extractable: true }),
    importPKCS8(readFileSync(privatePath, 'utf8'), 'ES256', { extractable: true })
  ])
  return { publicKey, privateKey }
}

function makeKeys(publicPath: string, privatePath: string): void {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  for (const path of [publicPath, privatePath]) mkdirSync(dirname(path), { recursive: true })
  writeFileSync(privatePath, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  writeFileSync(publicPath, publicKey.export({ type: 'spki', format: 'pem' }))
}
