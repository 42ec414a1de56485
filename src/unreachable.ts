import { messageOf } from './errors.ts'

/**
 * Why a host gave no answer, without an end: what a connection's error means, where its code is known. An address is
 * given by its host, since it may hold a signature.
 */
export function unreachableReason(cause: unknown, host: string): string | undefined {
  const code = errorCode(cause)
  const message = messageOf(cause).replace(/\s+/g, ' ').slice(0, 200)
  const known = meanings[code]
  if (known !== undefined) return `${known.replace('HOST', host)} (${code})`
  if (message.startsWith('tunneling socket could not be established')) {
    return `the proxy of HTTPS_PROXY gave no connection to ${host} (${message.replace(/^.*?, /, '')})`
  }
  if (code.includes('CERT') || code.includes('SIGNATURE')) {
    return `the certificate of ${host} can't be trusted (${code}); name an authority of your own by NODE_EXTRA_CA_CERTS`
  }
  return undefined
}

const meanings: Readonly<Record<string, string>> = {
  ENOTFOUND: 'there is no host HOST, or no network',
  EAI_AGAIN: 'the name HOST could not be looked up: there is no network, or no DNS',
  ECONNREFUSED: 'HOST refuses connections',
  EHOSTUNREACH: 'there is no way to HOST from this machine',
  ENETUNREACH: 'there is no way to HOST from this machine',
  ETIMEDOUT: 'HOST did not answer'
}

/** The code of an error, or of the first of those that were collected in it; '' without one. */
export function errorCode(cause: unknown): string {
  if (typeof cause !== 'object' || cause === null) return ''
  const { code, errors } = cause as { readonly code?: unknown; readonly errors?: unknown }
  if (typeof code === 'string') return code
  return Array.isArray(errors) ? errorCode(errors[0]) : ''
}
