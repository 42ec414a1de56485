/**
 * Takes variables out of this process's environment while something works. The toolkit's packages hand all of it on to
 * the programs that they start, and an action's inputs and the runner's tokens are none of their business.
 */
export async function withoutVariables<T>(hidden: RegExp, work: () => Promise<T>): Promise<T> {
  const taken = Object.entries(process.env).filter(([name]) => hidden.test(name))
  for (const [name] of taken) delete process.env[name]
  try {
    return await work()
  } finally {
    for (const [name, value] of taken) process.env[name] = value
  }
}

/** An action's own inputs and state. */
export const inputsAndState = /^(INPUT|STATE)_/i

/** The above, and the tokens by which the runner's services are used. */
export const allSecrets = /^(INPUT|STATE|ACTIONS)_/i
