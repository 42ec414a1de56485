#!/usr/bin/env node
// Stands in for docker with buildx, for tests that have no engine: takes the arguments that docker-publish gives, answers in
// the forms of docker 28 and buildx 0.29, and notes each call beside itself. What it is told in settings.json it does.
import { createHash } from 'node:crypto'
import { appendFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const home = dirname(fileURLToPath(import.meta.url))
const args = process.argv.slice(2)
const settings = JSON.parse(readFileSync(join(home, 'settings.json'), 'utf8'))
const registry = existsSync(join(home, 'registry.json'))
  ? JSON.parse(readFileSync(join(home, 'registry.json'), 'utf8'))
  : {}
const config = process.env.DOCKER_CONFIG ?? ''
const values = (name) => args.filter((arg) => arg.startsWith(`--${name}=`)).map((arg) => arg.slice(name.length + 3))
const [command] = args
const what = command === 'buildx' ? args.slice(0, args[1] === 'imagetools' ? 3 : 2).join(' ') : command

const call = { what, args, variables: Object.keys(process.env).filter((name) => /^(ACTIONS|INPUT|STATE)_/.test(name)) }
if (existsSync(config)) call.configMode = statSync(config).mode & 0o777
if (existsSync(config)) call.configHolds = readdirSync(config).sort()

const fail = settings.fails?.[what]
if (fail !== undefined) end({ stderr: fail, code: 1 })
if (settings.hangs === what) {
  note()
  setInterval(() => {}, 1000)
} else answer()

function answer() {
  switch (what) {
    case 'login':
      return logIn()
    case 'version':
      return end({ stdout: 'linux/amd64\n' })
    case 'buildx inspect':
      return end({ stdout: `Name:   ${args[2] ?? 'default'}\nDriver: ${settings.driver}\n\nNodes:\nName: default\n` })
    case 'buildx build':
      return build()
    case 'buildx imagetools inspect':
      return inspect(args[3])
    case 'buildx imagetools create':
      return tag()
    case 'port':
      return end({ stdout: `127.0.0.1:${settings.port}\n` })
    case 'inspect':
      return end({ stdout: JSON.stringify(settings.state) })
    case 'logs':
      return end({ stderr: 'the log of the container\n' })
    case 'run':
    case 'rm':
    case 'pull':
    case 'image':
      return end({ stdout: 'done\n' })
    default:
      return end({ stderr: `docker: unknown command: docker ${what}\n`, code: 1 })
  }
}

function logIn() {
  const password = readFileSync(0, 'utf8')
  const username = args[args.indexOf('--username') + 1]
  const path = join(config, 'config.json')
  const known = JSON.parse(readFileSync(path, 'utf8'))
  known.auths[args.at(-1)] = { auth: Buffer.from(`${username}:${password}`).toString('base64') }
  writeFileSync(path, JSON.stringify(known))
  call.passwordHash = hash(password)
  end({ stdout: 'Login Succeeded\n' })
}

/** The digest is that of what is built: arguments of the build and the files of the context. */
function build() {
  const context = args.at(-1)
  call.context = readdirSync(context).sort()
  call.secrets = values('secret').map((secret) => {
    const source = /(?:^|,)src=([^,]+)/.exec(secret)?.[1]
    return source === undefined
      ? secret
      : `${hash(readFileSync(source, 'utf8'))} ${(statSync(source).mode & 0o777).toString(8)}`
  })
  const parts = [
    ...values('label'),
    ...values('build-arg'),
    ...call.context.map((name) => hash(readFileSync(join(context, name))))
  ]
  const digest = `sha256:${hash(parts.join('\n'))}`
  const output = values('output')[0] ?? (args.includes('--push') ? 'push=true' : '')
  const pushes = output.includes('push=true')
  writeFileSync(values('metadata-file')[0], JSON.stringify(pushes ? { 'containerimage.digest': digest } : {}))
  if (pushes) keep(output.includes('push-by-digest=true') ? [] : values('tag'), digest)
  end({ stderr: `#1 ${settings.prints ?? 'building'}\n` })
}

function inspect(reference) {
  const digest = registry[reference]
  if (digest === undefined) end({ stderr: `ERROR: ${reference}: not found\n`, code: 1 })
  else end({ stdout: JSON.stringify({ mediaType: 'application/vnd.oci.image.index.v1+json', digest, size: 1 }) })
}

function tag() {
  keep(values('tag'), args.at(-1).split('@')[1])
  end({})
}

function keep(names, digest) {
  for (const name of names) registry[name] = digest
  writeFileSync(join(home, 'registry.json'), JSON.stringify(registry))
}

function hash(content) {
  return createHash('sha256').update(content).digest('hex')
}

function note() {
  appendFileSync(join(home, 'calls.jsonl'), `${JSON.stringify(call)}\n`)
}

function end({ stdout = '', stderr = '', code = 0 }) {
  note()
  process.stdout.write(stdout)
  process.stderr.write(stderr)
  process.exit(code)
}
