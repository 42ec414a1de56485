import { afterEach, beforeEach, jest } from '@jest/globals'

/** Keeps what code of actions writes to the log of a job out of the tests' output: masks, among the rest. */
export function quietLog(): void {
  beforeEach(() => {
    jest.spyOn(process.stdout, 'write').mockReturnValue(true)
  })
  afterEach(() => {
    jest.restoreAllMocks()
  })
}
