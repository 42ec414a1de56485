import { once } from 'node:events'
import { createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A request as it arrived, whole. */
export type Seen = { readonly method: string; readonly path: string; readonly token: string; readonly body: string }

/** Passes everything on to a server, and keeps what was asked. */
export async function startRecordingProxy(target: string) {
  const seen: Seen[] = []
  const proxy = createServer(async (message, response) => {
    const body = await bytesOf(message)
    const { method = '', url = '', headers } = message
    seen.push({ method, path: url, token: headers.authorization ?? '', body: body.toString('latin1') })
    const outgoing = request(target + url, { method, headers: { ...headers, host: new URL(target).host } })
    outgoing.end(body)
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage]
    response.writeHead(incoming.statusCode ?? 500, incoming.headers)
    incoming.pipe(response)
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const { port } = proxy.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    seen: seen as readonly Seen[],
    close: async () => {
      proxy.close()
      proxy.closeAllConnections()
      await once(proxy, 'close')
    }
  }
}

async function bytesOf(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
