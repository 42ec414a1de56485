/** A place where a secret was found. The message never holds the secret itself. */
export class LeakedSecret extends Error {
  override readonly name = 'LeakedSecret'
}

/** Something that others can read after or while a step runs. */
export type Exposed = { readonly where: string; readonly text: string }

/**
 * Throws `LeakedSecret` when one of the secrets stands in one of the texts: as it is, a line of it, the signature of
 * a JWT, or in JSON, URL, hex or base64 encoding.
 */
export function checkSecrets(secrets: readonly string[], exposed: readonly Exposed[]): void {
  for (const [number, secret] of secrets.entries()) {
    for (const { form, text } of formsOf(secret)) {
      const leak = exposed.find((place) => place.text.includes(text))
      if (leak) throw new LeakedSecret(`secret ${number + 1} of ${secrets.length} stands ${form} in ${leak.where}`)
    }
  }
}

/** Shorter parts would be found by chance. */
const shortestPart = 8

function formsOf(secret: string): { form: string; text: string }[] {
  const forms = [
    { form: 'as it is', text: secret },
    ...secret.split(/\r?\n/).map((line) => ({ form: 'in part', text: line })),
    { form: 'by its signature', text: /^[\w-]+\.[\w-]+\.([\w-]+)$/.exec(secret)?.[1] ?? '' },
    { form: 'escaped for JSON', text: JSON.stringify(secret).slice(1, -1) },
    { form: 'escaped for a URL', text: encodeURIComponent(secret) },
    { form: 'in hex', text: Buffer.from(secret).toString('hex') },
    ...[0, 1, 2].flatMap((offset) => {
      const text = base64At(secret, offset)
      return [
        { form: 'in base64', text },
        { form: 'in base64url', text: text.replaceAll('+', '-').replaceAll('/', '_') }
      ]
    })
  ]
  return forms.filter(({ text }) => text.length >= shortestPart)
}

/** The base64 digits that depend on nothing but the secret when it starts `offset` bytes into a group of three. */
function base64At(secret: string, offset: number): string {
  const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(secret)])
  const whole = bytes.subarray(0, bytes.length - (bytes.length % 3))
  return whole.toString('base64').slice(offset === 0 ? 0 : 4)
}
