import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { randomUUID, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { importPKCS8, SignJWT } from 'jose'
import { registryUser } from '../stand-ins/registry.ts'

/** Debian's `docker-registry`, which is the reference implementation of the distribution API. */
const program = 'docker-registry'

/** Its version, or why it can't be run. */
export function registryProgram(): { readonly version: string } | { readonly missing: string } {
  const [registry, openssl] = [program, 'openssl'].map((each) => spawnSync(each, ['--version'], { encoding: 'utf8' }))
  if (registry?.error !== undefined) return { missing: `there is no ${program} (\`apt-get install docker-registry\`)` }
  if (openssl?.error !== undefined) return { missing: 'there is no openssl, which makes the certificate of its tokens' }
  return { version: `${registry?.stdout}`.trim() }
}

export type RunningRegistry = { readonly host: string; close(): Promise<void> }

/** Of `registryUser`, with bcrypt, the only form that it takes. */
const htpasswd = 'octocat:$2b$04$x3ttqHPOuIVoh6pnK9phuOcmZAOI1N6YdbBQ249O5B7FXuvfaJlOO\n'

/** Starts it on a free port, with its storage in an empty folder; it knows `registryUser` alone, where it asks for a login. */
export async function startRegistryProgram(
  folder: string,
  login: 'none' | 'basic' | 'token'
): Promise<RunningRegistry> {
  const realm = login === 'token' ? await startRealm(folder) : undefined
  const config = join(folder, 'config.json')
  const auth = login === 'basic' ? { htpasswd: { realm: 'basic-realm', path: join(folder, 'htpasswd') } } : realm?.auth
  writeFileSync(join(folder, 'htpasswd'), htpasswd)
  // JSON is YAML.
  writeFileSync(
    config,
    JSON.stringify({
      version: 0.1,
      storage: { filesystem: { rootdirectory: join(folder, 'storage') } },
      http: { addr: '127.0.0.1:0', secret: 'for uploads' },
      ...(auth && { auth })
    })
  )
  const child = spawn(program, ['serve', config], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH }
  })
  const close = async () => {
    await Promise.all([stop(child), realm?.close()])
  }
  try {
    return { host: await addressOf(child), close }
  } catch (error) {
    await close()
    throw error
  }
}

/** What it says that it listens on. */
async function addressOf(child: ChildProcess): Promise<string> {
  const said: string[] = []
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`${program} did not start: ${said.join('\n')}`)), 30_000)
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`${program} ended with ${code}: ${said.join('\n')}`)))
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue
      createInterface(stream).on('line', (line) => {
        said.push(line)
        const address = /listening on (127\.0\.0\.1:\d+)/.exec(line)?.[1]
        if (address === undefined) return
        clearTimeout(late)
        resolve(address)
      })
    }
  })
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.pid === undefined) return
  const ended = once(child, 'exit')
  child.kill()
  await ended
}

/** What gives tokens: to the user, what is asked for; to others, to pull. The registry checks their signature. */
async function startRealm(folder: string) {
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')]
  const options = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1']
  const subject = ['-subj', '/CN=realm', '-keyout', key, '-out', certificate]
  execFileSync('openssl', ['req', ...options, ...subject], { stdio: 'ignore' })
  const signer = await importPKCS8(readFileSync(key, 'utf8'), 'ES256')
  const x5c = [new X509Certificate(readFileSync(certificate)).raw.toString('base64')]
  const basic = `Basic ${Buffer.from(`${registryUser.username}:${registryUser.password}`).toString('base64')}`
  const server = createServer(async ({ url = '', headers: { authorization } }, response) => {
    if (authorization !== undefined && authorization !== basic) return response.writeHead(401).end()
    const access = new URL(url, 'http://127.0.0.1').searchParams.getAll('scope').map((scope) => {
      const [type, name, actions = ''] = scope.split(':')
      const allowed = actions.split(',').filter((action) => action === 'pull' || authorization !== undefined)
      return { type, name, actions: allowed }
    })
    const token = await new SignJWT({ access, jti: randomUUID() })
      .setProtectedHeader({ alg: 'ES256', typ: 'JWT', x5c })
      .setIssuer('realm')
      .setAudience('registry')
      .setSubject(registryUser.username)
      .setIssuedAt()
      .setNotBefore('-1m')
      .setExpirationTime('5m')
      .sign(signer)
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ token }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const realm = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`
  return {
    auth: { token: { realm, service: 'registry', issuer: 'realm', rootcertbundle: certificate } },
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    }
  }
}
