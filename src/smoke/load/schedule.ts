/** When calls are due, whatever becomes of the earlier ones. Times are in milliseconds from the start. */
export type Schedule = {
  /** How many are due before the load's time is over. */
  readonly calls: number
  /** When the call with this index, from 0, is due. */
  due(index: number): number
}

/** Calls at even distances, the first at once: `rate` in a second, for `duration` milliseconds. */
export function scheduleOf(rate: number, duration: number): Schedule {
  const due = (index: number) => (index * 1000) / rate
  let calls = Math.ceil((duration * rate) / 1000)
  // What is left of a division may be off by one in its last digit.
  while (calls > 1 && due(calls - 1) >= duration) calls -= 1
  while (due(calls) < duration) calls += 1
  return { calls, due }
}
