/** Names of tables and views that a statement speaks of, without those of the server's own (`st_…`). */
export function tablesIn(statement: string): string[] {
  const code = statement.replace(/'(?:[^']|'')*'/g, "''").replace(/--.*$/gm, '')
  const names = [...code.matchAll(tableName)].map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '')
  return [...new Set(names)].filter((name) => !/^st_/i.test(name))
}

const tableName = /\b(?:from|join|into|update)\s+(?:"((?:[^"]|"")+)"|([\p{L}_][\p{L}\p{N}_.]*))/giu
