import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { type Database, newConnection } from './database.ts'
import { type Answer, badQuery, flag, type Server } from './exchange.ts'
import { HttpError } from './http-error.ts'
import { addressOf, answerOf, bearerOf } from './requesting.ts'
import type { Bearer } from './tokens.ts'
import { WebSocketClient } from './websocket-client.ts'

/** The one subprotocol that is spoken here. */
const spoken = 'v1.json.spacetimedb'

/** Subprotocols of a real server that are not spoken here; a client that wants one of them is told. */
const unspoken = ['v1.bsatn.spacetimedb', 'v2.bsatn.spacetimedb', 'v3.bsatn.spacetimedb']

type Accepted = {
  readonly database: Database
  readonly bearer: Bearer
  readonly connection: Uint8Array
  readonly isLight: boolean
}

/** Takes WebSockets at `GET /v1/database/NAME/subscribe`. */
export class WebSockets {
  readonly #server: Server
  readonly #webSockets = new WebSocketServer({
    noServer: true,
    handleProtocols: () => spoken,
    maxPayload: 32 * 1024 * 1024
  })
  #isClosing = false

  constructor(server: Server) {
    this.#server = server
  }

  /** Makes a WebSocket of a connection, or answers why not. */
  async take(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => undefined)
    try {
      const { database, bearer, connection, isLight } = await this.#accept(request)
      this.#webSockets.handleUpgrade(request, socket, head, (webSocket) =>
        new WebSocketClient(webSocket, database, bearer, connection, isLight).serve(() => this.#isClosing)
      )
    } catch (error) {
      refuse(socket, answerOf(error))
    }
  }

  /** Ends every WebSocket at once, without a word to client or module. */
  close(): void {
    this.#isClosing = true
    for (const webSocket of this.#webSockets.clients) webSocket.terminate()
  }

  async #accept(request: IncomingMessage): Promise<Accepted> {
    const address = addressOf(request)
    const [root, name, action, ...rest] = address.path
    const isRoute = root === 'database' && name !== undefined && action === 'subscribe' && rest.length === 0
    if (!isRoute) throw new HttpError(404, '')
    const token = address.query.get('token')
    const bearer = await bearerOf(
      this.#server.tokens,
      request.headers.authorization ?? (token === null ? undefined : `Bearer ${token}`)
    )
    const isLight = flag(address, 'light')
    flag(address, 'confirmed')
    const connection = connectionOf(address.query.get('connection_id'))
    this.#server.control.resolve(name)
    checkProtocols(request)
    return { database: this.#server.control.database(name), bearer, connection, isLight }
  }
}

function checkProtocols({ headers }: IncomingMessage): void {
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((protocol) => protocol.trim())
  if (offered.includes(spoken)) return
  const [unable] = offered.filter((protocol) => unspoken.includes(protocol))
  if (unable !== undefined)
    throw new HttpError(400, `no valid protocol selected: the embedded server does not speak ${unable}`)
  throw new HttpError(400, 'no valid protocol selected')
}

/** A connection's bytes as a module gets them; its name in a URL is their number in hex. */
function connectionOf(hex: string | null): Uint8Array {
  if (hex === null) return newConnection()
  if (!/^[0-9a-f]{32}$/i.test(hex)) throw badQuery('invalid connection ID')
  if (/^0+$/.test(hex)) throw new HttpError(400, 'Invalid connection ID: the all-zeros ConnectionId is reserved.')
  return Uint8Array.from(Buffer.from(hex, 'hex')).reverse()
}

function refuse(socket: Duplex, { status, contentType, body }: Answer): void {
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    ...(contentType === undefined ? [] : [`content-type: ${contentType}`]),
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close'
  ]
  socket.end([...head, '', body].join('\r\n'))
}
