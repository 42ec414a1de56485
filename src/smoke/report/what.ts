import { stringify } from 'lossless-json'
import { inUnits } from '../../duration.ts'
import type { Check } from '../check.ts'

/** What a check looks at, in one line for a table: `increment_counter(1)`, `SELECT * FROM counter`. Nothing secret, such as headers. */
export function whatOf(check: Check): string {
  switch (check.kind) {
    case 'ping':
      return 'the server answers'
    case 'served-hash':
      return hashText(check.wanted['served-hash'])
    case 'reducer':
      return callText(check.wanted.reducer, check.wanted.args)
    case 'procedure':
      return callText(check.wanted.procedure, check.wanted.args)
    case 'sql':
      return check.wanted.sql
    case 'subscription':
      return [check.wanted.subscription].flat().join('; ')
    case 'http-route':
      return `${check.wanted.method} ${check.wanted['http-route']}`
    case 'log':
      return listed(check.wanted.log)
    case 'metrics':
      return metricsText(check.wanted)
    case 'connections':
      return `${check.wanted.connections} clients, for ${inUnits(check.wanted.stay)}`
    case 'load':
      return loadText(check.wanted)
  }
}

function hashText(hash: string | true): string {
  return hash === true ? 'the expected module is live' : `${hash.slice(0, 12)}… is live`
}

function callText(name: string, args: readonly unknown[]): string {
  return `${name}(${args.map((argument) => stringify(argument) ?? '').join(', ')})`
}

function metricsText({ metrics: { reducer, window, ...thresholds } }: Check<'metrics'>['wanted']): string {
  return `${reducer === undefined ? '' : `${reducer}: `}${listed(thresholds)}, for ${inUnits(window)}`
}

function loadText({ load, args, callers, rate, for: time }: Check<'load'>['wanted']): string {
  const asked = rate === undefined ? '' : `, ${rate} calls/s`
  return `${callText(load, args)}, ${callers} callers${asked}, for ${inUnits(time)}`
}

function listed(given: Readonly<Record<string, unknown>>): string {
  return Object.entries(given)
    .map(([name, value]) => `${name} ${isTime(name, value) ? inUnits(value) : value}`)
    .join(', ')
}

function isTime(name: string, value: unknown): value is number {
  return /^p\d+$/.test(name) && typeof value === 'number'
}
