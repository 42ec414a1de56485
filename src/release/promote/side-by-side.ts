/** Does work for each item, in their order and so many at a time; once it `isStopped`, nothing more is begun. */
export async function sideBySide<T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<void>,
  isStopped: () => boolean = () => false
): Promise<void> {
  const left = items.values()
  const takeTurns = async () => {
    for (const item of left) {
      if (isStopped()) return
      await work(item)
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, takeTurns))
}
