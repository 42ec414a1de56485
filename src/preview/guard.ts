import type { Server } from '../spacetimedb/server.ts'
import { ServerFailure } from '../spacetimedb/server.ts'
import type { Standing } from './standing.ts'

/** What a preview's name was found to lead to. */
export type Known = Extract<Standing, { kind: 'absent' | 'preview' }>

/**
 * The server, as long as the preview's name leads to what was found there. Between looking and publishing somebody could
 * give that name to another database of ours, which must not get the module of a pull request.
 */
export function guarded(server: Server, database: string, found: Known): Server {
  let isOurs = false
  return {
    ...server,
    publishFirst: (name, module, organization) => {
      // From here on the name leads to what this very publish has made, or to nothing: it replaces no other module.
      isOurs = true
      return server.publishFirst(name, module, organization)
    },
    resolve: async (name) => {
      const now = await server.resolve(name)
      if (name !== database || now.kind !== 'exists' || isOurs) return now
      if (found.kind === 'preview' && now.identity === found.identity) return now
      throw new ServerFailure(
        'unexpected-answer',
        `The name "${database}" leads to another database than a moment ago: ${now.identity}. Run the job again.`
      )
    }
  }
}
