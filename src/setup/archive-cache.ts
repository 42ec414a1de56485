/** Keeps single files from one run to another. Neither ever throws: without a cache it only takes longer. */
export type ArchiveCache = {
  /** Brings what was kept under a key to `file`; whether there was any. */
  restore(key: string, name: string, file: string): Promise<boolean>
  /** Keeps `file` under a key. `name` must be the same as when restoring. */
  save(key: string, name: string, file: string): Promise<void>
}
