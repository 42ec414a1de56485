/** What must never be shown: every token that was sent or that an answer carried. */
export type Secrets = {
  /** Reports a secret, once, before anything else is done with it. */
  add(secret: string): void
  /** The text without any of the secrets, nor anything else that looks like a token. */
  redact(text: string): string
}

/** A JSON Web Token: three parts in base64url, of which the first two are JSON objects. */
const anyToken = /eyJ[\w-]{8,}\.eyJ[\w-]*(?:\.[\w-]*)?/g

/** Secrets that are told to `onSecret`, which masks them in the log. */
export function keepSecrets(onSecret: (secret: string) => void): Secrets {
  const known = new Set<string>()
  return {
    add: (secret) => {
      if (secret === '' || known.has(secret)) return
      known.add(secret)
      onSecret(secret)
    },
    redact: (text) =>
      [...known].reduce((shown, secret) => shown.replaceAll(secret, '***'), text).replace(anyToken, '***')
  }
}
