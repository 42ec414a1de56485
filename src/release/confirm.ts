import { messageOf } from '../errors.ts'
import { changeText } from '../migration/change.ts'
import { diffSchemas } from '../migration/diff.ts'
import type { Work } from './work.ts'

/**
 * For an approved plan: compares what the server says of the live schema with what the module declares. The module that
 * is live is known by its hash, so that a difference is no reason to go back, but one to look at. Never throws.
 */
export async function confirmSchema({ request, tools, journal }: Work): Promise<void> {
  if (request.approved === undefined) return
  try {
    await journal.step('Compare the live schema', async (step) => {
      const [live, planned] = await Promise.all([tools.server.schema(request.database), tools.describe(request.module)])
      // A server's schema does not hold the names that indexes have of their own.
      const seen = diffSchemas(live, planned).filter(({ kind }) => kind !== 'index-renamed')
      const differences = seen.map(changeText)
      if (differences.length === 0) {
        step.detail('it is the planned one')
        return
      }
      step.fail(`it differs: ${differences.join('; ')}`)
      journal.warn(
        `The live schema is not what the module declares, although the module is live: ${differences.join('; ')}. Please report this.`
      )
    })
  } catch (error) {
    journal.warn(`The live schema could not be compared: ${messageOf(error)}`)
  }
}
