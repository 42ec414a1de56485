/** The environment variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>

/**
 * What a started program gets of a step's environment: what finds programs, files, proxies and certificates. All else
 * may hold a secret (inputs, the runner's own tokens, the job's `env`), and neither the CLI nor the server reads one.
 * By `RUNNER_TRACKING_ID` the runner finds what a job leaves running, and ends it.
 */
export function plainEnvironment(environment: Environment): Environment {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => passedOn.has(name.toUpperCase())))
}

const passedOn: ReadonlySet<string> = new Set([
  'PATH',
  'PATHEXT',
  'HOME',
  'USERPROFILE',
  'LOCALAPPDATA',
  'APPDATA',
  'PROGRAMDATA',
  'SYSTEMROOT',
  'SYSTEMDRIVE',
  'WINDIR',
  'COMSPEC',
  'TMPDIR',
  'TMP',
  'TEMP',
  'LANG',
  'LC_ALL',
  'TZ',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'RUST_LOG',
  'RUNNER_TEMP',
  'RUNNER_TRACKING_ID'
])
