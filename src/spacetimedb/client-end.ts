import type { Socket } from 'node:net'
import type { FailureKind } from './server.ts'

/** Why a client's connection ended; the problem is a sentence. */
export type End = { readonly kind: FailureKind; readonly problem: string }

/** The end that an error of the WebSocket is. */
export function endByError(error: Error & { code?: string }): End {
  if (error.code?.startsWith('WS_ERR_')) {
    return {
      kind: 'unexpected-answer',
      problem: `what the server sends is no message that is taken (${error.message}).`
    }
  }
  return { kind: 'interrupted', problem: `the connection broke (${error.code ?? error.message}).` }
}

/** The end that a close frame, or a connection without one (1006), is. `greeted`: the server had said who we are. */
export function endByClosing(code: number, reason: string, greeted: boolean): End {
  if (!greeted && code < 1007 && reason === '') {
    return {
      kind: 'interrupted',
      problem: `the server ended the connection before it said who we are (${code}). Either the module's \`client_connected\` refused or failed, of which the database's log tells, or the connection broke.`
    }
  }
  if (code === 1006) {
    return {
      kind: 'interrupted',
      problem: 'the connection broke (1006). The server or a proxy may have been restarted.'
    }
  }
  const why =
    reason === 'module exited'
      ? ': the module was replaced by one that breaks its clients, or the database was stopped or deleted.'
      : '.'
  return { kind: 'interrupted', problem: `the server closed it (${code}${reason && `, ${reason}`})${why}` }
}

/** Counts beats without a byte. Beats, not time: while this process is busy, nothing is read, and nobody is to blame. */
export function silenceCounter(connection: Socket, beat: (silentBeats: number) => void): () => void {
  let silentBeats = 0
  let lastBytes = connection.bytesRead
  return () => {
    silentBeats = connection.bytesRead === lastBytes ? silentBeats + 1 : 0
    lastBytes = connection.bytesRead
    beat(silentBeats)
  }
}
