import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

export type Certificate = { readonly key: string; readonly cert: string }

/** A self-signed certificate, its own authority, for host names and 127.0.0.1. */
export function selfSigned({
  names = ['localhost'],
  expired = false
}: {
  names?: readonly string[]
  expired?: boolean
} = {}): Certificate {
  const { privateKey, publicKey } = newKeys()
  const own = { name: 'test', publicKey }
  return encoded(privateKey, certificate({ subject: own, issuer: { name: 'test', privateKey }, names, expired }))
}

export type CertificateAuthority = {
  /** PEM, for those who are to trust it. */
  readonly cert: string
  /** A certificate for host names, good for a day. */
  issue(names: readonly string[]): Certificate
}

/** An authority that nobody trusts unless told to. */
export function certificateAuthority(): CertificateAuthority {
  const { privateKey, publicKey } = newKeys()
  const issuer = { name: 'test authority', privateKey }
  const own = encoded(privateKey, certificate({ subject: { name: issuer.name, publicKey }, issuer, names: [] }))
  return {
    cert: own.cert,
    issue: (names) => {
      const keys = newKeys()
      return encoded(
        keys.privateKey,
        certificate({ subject: { name: 'test', publicKey: keys.publicKey }, issuer, names })
      )
    }
  }
}

function newKeys() {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
}

type Certified = {
  readonly subject: { readonly name: string; readonly publicKey: KeyObject }
  readonly issuer: { readonly name: string; readonly privateKey: KeyObject }
  readonly names: readonly string[]
  readonly expired?: boolean
}

/** A certificate, made by hand in DER (RFC 5280). Whose name is its issuer's is an authority. */
function certificate({ subject, issuer, names, expired = false }: Certified): Buffer {
  const day = 24 * 60 * 60 * 1000
  const validity = sequence(time(Date.now() - 30 * day), time(Date.now() + (expired ? -day : day)))
  const alternatives = sequence(
    ...names.map((host) => tagged(0x82, Buffer.from(host))),
    tagged(0x87, Buffer.from([127, 0, 0, 1]))
  )
  const isAuthority = subject.name === issuer.name
  const extensions = sequence(
    sequence(objectId('2.5.29.19'), bool(true), octets(isAuthority ? sequence(bool(true)) : sequence())),
    sequence(objectId('2.5.29.17'), octets(alternatives))
  )
  const content = sequence(
    tagged(0xa0, tagged(0x02, Buffer.from([2]))),
    tagged(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ecdsaWithSha256,
    distinguishedName(issuer.name),
    validity,
    distinguishedName(subject.name),
    subject.publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, extensions)
  )
  const signature = sign('sha256', content, issuer.privateKey)
  return sequence(content, ecdsaWithSha256, tagged(0x03, Buffer.concat([Buffer.from([0]), signature])))
}

function encoded(privateKey: KeyObject, der: Buffer): Certificate {
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    // A line that is empty, when the last one is full, would be an error.
    cert: `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`
  }
}

function distinguishedName(name: string): Buffer {
  return sequence(set(sequence(objectId('2.5.4.3'), tagged(0x0c, Buffer.from(name)))))
}

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content
  const head = length < 0x80 ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from(head), content])
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts))
}

function set(part: Buffer): Buffer {
  return tagged(0x31, part)
}

function octets(content: Buffer): Buffer {
  return tagged(0x04, content)
}

function bool(value: boolean): Buffer {
  return tagged(0x01, Buffer.from([value ? 0xff : 0]))
}

function time(milliseconds: number): Buffer {
  const digits = new Date(milliseconds).toISOString().replace(/[-:T]|\.\d+/g, '')
  return tagged(0x18, Buffer.from(digits))
}

function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes = rest.flatMap((part) => (part < 0x80 ? [part] : base128(part)))
  return tagged(0x06, Buffer.from([first * 40 + second, ...bytes]))
}

function base128(part: number): number[] {
  const groups: number[] = []
  for (let rest = part; rest > 0; rest >>= 7) groups.unshift((rest & 0x7f) | (groups.length > 0 ? 0x80 : 0))
  return groups
}

const ecdsaWithSha256 = sequence(objectId('1.2.840.10045.4.3.2'))
