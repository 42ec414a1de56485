import { textOf } from './example.ts'

/** What a module declares, as its README's table says it: names, and of each its columns or parameters. */
export type Declared = Readonly<Record<'table' | 'reducer', Readonly<Record<string, readonly string[]>>>>

/** Reads the table in README.md: `| table | `counter` | `id`, `value` |`. */
export function declaredInReadme(): Declared {
  const declared = { table: {} as Record<string, string[]>, reducer: {} as Record<string, string[]> }
  for (const [, kind, name, parts = ''] of textOf('README.md').matchAll(
    /^\| (table|reducer) \| `(\w+)` \| (.*)\|$/gm
  )) {
    declared[kind as keyof Declared][`${name}`] = [...parts.matchAll(/`(\w+)`/g)].map(([, part]) => `${part}`)
  }
  return declared
}
