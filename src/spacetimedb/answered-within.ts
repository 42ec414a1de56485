/** As the promise, but not later than that; rejects with what `failure` gives. */
export async function answeredWithin<T>(milliseconds: number, answer: Promise<T>, failure: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(failure()), milliseconds)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}
