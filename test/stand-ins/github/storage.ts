import { randomUUID } from 'node:crypto'
import type { HostAnswer } from '../http-answer.ts'

/** Where files lie that the API only redirects to. Whoever has the URL may read, once or more often. */
export const storagePath = '/storage/'

export class Storage {
  readonly #files = new Map<string, { readonly name: string; readonly bytes: Buffer }>()

  /** A new path for a file. */
  pathOf(name: string, bytes: Buffer): string {
    const path = `${storagePath}${randomUUID()}`
    this.#files.set(path, { name, bytes })
    return path
  }

  answer({ pathname }: URL): HostAnswer | undefined {
    const file = this.#files.get(pathname)
    if (file === undefined) return undefined
    const disposition = `attachment; filename=${file.name}`
    const headers = { 'content-type': 'application/octet-stream', 'content-disposition': disposition }
    return { status: 200, headers, body: file.bytes }
  }
}
