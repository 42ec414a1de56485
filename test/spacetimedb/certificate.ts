import { generateKeyPairSync, sign } from 'node:crypto'

export type Certificate = { readonly key: string; readonly cert: string }

/** A self-signed certificate, its own authority, for host names and 127.0.0.1; made by hand in DER (RFC 5280). */
export function selfSigned({
  names = ['localhost'],
  expired = false
}: {
  names?: readonly string[]
  expired?: boolean
} = {}): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const day = 24 * 60 * 60 * 1000
  const name = sequence(set(sequence(objectId('2.5.4.3'), tagged(0x0c, Buffer.from('test')))))
  const validity = sequence(time(Date.now() - 30 * day), time(Date.now() + (expired ? -day : day)))
  const alternatives = sequence(
    ...names.map((host) => tagged(0x82, Buffer.from(host))),
    tagged(0x87, Buffer.from([127, 0, 0, 1]))
  )
  const extensions = sequence(
    sequence(objectId('2.5.29.19'), bool(true), octets(sequence(bool(true)))),
    sequence(objectId('2.5.29.17'), octets(alternatives))
  )
  const content = sequence(
    tagged(0xa0, tagged(0x02, Buffer.from([2]))),
    tagged(0x02, Buffer.from([1])),
    ecdsaWithSha256,
    name,
    validity,
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, extensions)
  )
  const signature = sign('sha256', content, privateKey)
  const der = sequence(content, ecdsaWithSha256, tagged(0x03, Buffer.concat([Buffer.from([0]), signature])))
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`
  }
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
