/** A request that is answered with this status and text. */
export class HttpError extends Error {
  override readonly name = 'HttpError'
  readonly status: number
  readonly contentType: string

  constructor(status: number, body: string, contentType = 'text/plain; charset=utf-8') {
    super(body)
    this.status = status
    this.contentType = contentType
  }
}
