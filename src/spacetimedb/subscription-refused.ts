/** The server refuses a query: it is wrong, or its table is missing or private to others. */
export class SubscriptionRefused extends Error {
  override readonly name = 'SubscriptionRefused'
  /** As the server puts it. */
  readonly reason: string

  constructor(message: string, reason: string) {
    super(message)
    this.reason = reason
  }
}
