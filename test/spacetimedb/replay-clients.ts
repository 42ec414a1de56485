import { type WebSocketRecording, webSocketRecordings } from '../fixtures.ts'
import { ownHeaders } from './http-server.ts'
import { identities, secretOfAnswers } from './replay.ts'
import { type ClientsServer, refuseUpgrade, serveClients } from './web-socket-server.ts'

/** The connection id of the client in recordings: more than a double holds. */
export const recordedConnectionId = '279644447473748814361743348374015555418'

/** A message of the server as it goes over the wire, with something in the place of what differs from run to run. */
export function wireText(message: unknown): string {
  return JSON.stringify(message)
    .replaceAll('<identity of owner>', identities.owner)
    .replaceAll('<identity>', identities.other)
    .replaceAll(/<token[^>]*>/g, secretOfAnswers)
    .replaceAll('"<connection id>"', recordedConnectionId)
    .replaceAll(/"<(micros|n)>"/g, '1234')
}

/** A server that does what a real one did in that case; `sent` holds what a client has sent to it. */
export async function replayExchange(
  name: string,
  schema = ''
): Promise<ClientsServer & { readonly exchange: WebSocketRecording; readonly sent: readonly unknown[] }> {
  const exchange = webSocketRecordings().find((each) => each.name === name)
  if (exchange === undefined) throw new Error(`there is no recorded exchange "${name}"`)
  const sent: unknown[] = []
  const [first] = exchange.exchange
  const server = await serveClients({
    onRequest: (_, response) => response.writeHead(200, ownHeaders).end(schema),
    ...(first !== undefined &&
      'refused' in first && {
        onUpgrade: (_, raw) => refuseUpgrade(raw, first.refused, { 'content-type': 'text/plain' }, first.body)
      }),
    onClient: async ({ socket, messages }) => {
      for (const step of exchange.exchange) {
        if ('received' in step) socket.send(wireText(step.received))
        else if ('sent' in step) sent.push((await messages.next()).value)
      }
    }
  })
  return Object.assign(server, { exchange, sent })
}
