/** A name as SQL takes it whatever it is: a table may be called `order`. */
export function sqlName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
