import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Puts stand-ins for `cargo`, `rustc` and `rustup` into a folder, for `PATH`. They compile nothing: the module of a project is its
 * file `src/module.wasm`, and a crate of its Cargo.lock is a file that says its name. Where things are put, and what is
 * printed for them, is as with the real ones. They build again only what has no fingerprint: a worse cargo than the
 * real one, which also looks at times, so that a fingerprint which ought not to be there is noticed.
 */
export function installRustToolchain(folder: string): string {
  mkdirSync(join(folder, 'lib'), { recursive: true })
  for (const [name, program] of Object.entries({ cargo, rustc, rustup })) {
    const path = join(folder, name)
    writeFileSync(path, `#!${process.execPath}\n${program}`)
    chmodSync(path, 0o755)
  }
  return folder
}

const rustc = `
const args = process.argv.slice(2).join(' ')
if (args.includes('target-libdir')) console.log(require('node:path').join(__dirname, 'lib'))
else if (args.includes('sysroot')) console.log(__dirname)
else if (args === '-vV') console.log('rustc 1.95.0 (stand-in)\\ncommit-hash: 5a0d1e\\nhost: x86_64-unknown-linux-gnu')
else if (args === '--version') console.log('rustc 1.95.0 (stand-in)')
`

/** All targets are there. */
const rustup = `
if (process.argv.slice(2, 4).join(' ') !== 'target add') process.exit(1)
console.error("info: component 'rust-std' for target '" + process.argv[4] + "' is up to date")
`

const cargo = `
const fs = require('node:fs'), path = require('node:path'), { createHash } = require('node:crypto')
const [command, ...args] = process.argv.slice(2)
const folder = process.cwd()
const target = path.join(folder, 'target')
const home = process.env.CARGO_HOME ?? path.join(process.env.HOME, '.cargo')
const own = /^name = "(.*)"/m.exec(fs.readFileSync('Cargo.toml', 'utf8'))[1]
const crate = own.replaceAll('-', '_')
const manifest = fs.realpathSync('Cargo.toml')
const locked = fs.existsSync('Cargo.lock') ? fs.readFileSync('Cargo.lock', 'utf8').split('[[package]]').slice(1) : []
const packages = locked.map((text) => ({
  name: /name = "(.*)"/.exec(text)[1],
  source: /source = "(.*)"/.exec(text)?.[1] ?? null
})).filter(({ source }) => source)
const hash = (name) => createHash('sha256').update(name).digest('hex').slice(0, 16)
const put = (file, content) => {
  fs.mkdirSync(path.dirname(file), { recursive: true })
  fs.writeFileSync(file, content)
}

if (command === '--version') console.log('cargo 1.95.0 (stand-in)')
if (command === 'metadata') {
  const all = [
    { name: own, source: null, manifest_path: manifest, targets: [{ name: crate, crate_types: ['cdylib'] }] },
    ...packages.map((each) => ({ ...each, manifest_path: '', targets: [{ name: each.name, crate_types: ['lib'] }] }))
  ]
  const shown = args.includes('--no-deps') ? all.slice(0, 1) : all
  console.log(JSON.stringify({ target_directory: target, workspace_root: folder, packages: shown }))
}
if (command === 'build') {
  const made = path.join(target, 'wasm32-unknown-unknown', args.includes('--release') ? 'release' : 'debug')
  const isFresh = (name) => fs.existsSync(path.join(made, '.fingerprint', name + '-' + hash(name)))
  const say = (done, name) => console.error(done.padStart(12) + ' ' + name)
  for (const { name } of packages) {
    const archive = path.join(home, 'registry/cache/index', name + '.crate')
    if (!fs.existsSync(archive)) say('Downloaded', name), put(archive, name)
    if (isFresh(name)) { say('Fresh', name); continue }
    say('Compiling', name)
    put(path.join(made, '.fingerprint', name + '-' + hash(name), 'lib-' + name), '')
    put(path.join(made, 'deps', 'lib' + name + '-' + hash(name) + '.rlib'), name)
  }
  const lines = fs.readFileSync('src/lib.rs', 'utf8').split('\\n')
  const wrong = lines.findIndex((line) => line.startsWith('compile_error!'))
  if (wrong >= 0) {
    const span = { file_name: 'src/lib.rs', line_start: wrong + 1, line_end: wrong + 1, column_start: 1, is_primary: true }
    const message = { message: 'this is wrong', code: { code: 'E0308' }, level: 'error', spans: [span], rendered: 'error[E0308]: this is wrong\\n --> src/lib.rs:' + (wrong + 1) + ':1\\n' }
    console.log(JSON.stringify({ reason: 'compiler-message', message }))
    console.error('error: could not compile \`' + own + '\` (lib) due to 1 previous error')
    process.exit(101)
  }
  const inDeps = path.join(made, 'deps', crate + '.wasm'), result = path.join(made, crate + '.wasm')
  if (isFresh(own)) say('Fresh', own)
  else {
    say('Compiling', own)
    put(inDeps, fs.readFileSync('src/module.wasm'))
    put(path.join(made, 'deps', crate + '.d'), inDeps + ': src/lib.rs')
    put(path.join(made, '.fingerprint', own + '-' + hash(own), 'lib-' + own), '')
  }
  fs.copyFileSync(inDeps, result)
  console.log(JSON.stringify({ reason: 'compiler-artifact', manifest_path: manifest, target: { name: crate, crate_types: ['cdylib'] }, filenames: [result] }))
}
`
