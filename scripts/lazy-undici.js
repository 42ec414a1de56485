/**
 * Stands in for undici in the bundle (bundle-plugins.ts): what the libraries use of it, with undici itself
 * loaded at the first request. `@actions/http-client` makes agents for it, `@actions/github` fetches with them.
 */
export async function fetch(url, { dispatcher, ...options } = {}) {
  const undici = await import('undici')
  return undici.fetch(url, dispatcher ? { ...options, dispatcher: new undici.ProxyAgent(dispatcher.options) } : options)
}

export class ProxyAgent {
  constructor(options) {
    this.options = options
  }
}
