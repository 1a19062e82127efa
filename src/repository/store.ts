/** Names are lower-case words, digits and hyphens, joined by slashes; at most 200 characters. */
const NAME = /^[a-z0-9-]+(?:\/[a-z0-9-]+)*$/

/**
 * Where packs, index and points are kept: a directory, an object store, memory.
 *
 * Objects are immutable but for `replace`, which only the configuration uses. A name appears with all of its
 * bytes or not at all. `put` returns when the bytes are durable; the *name* is promised to survive a power cut
 * only after `flush`, so that a thousand packs do not cost a thousand directory syncs. Failures are
 * BackupErrors: STORE_OBJECT_EXISTS, STORE_OBJECT_MISSING, STORE_FULL, STORE_READ_ONLY, STORE_FAILED.
 */
export type Store = AsyncDisposable & {
  /** For sentences: a path or an address. */
  readonly description: string
  /** Stores `bytes` under `name`; refuses a name that exists. The bytes must not change until it returns. */
  put(name: string, bytes: Uint8Array): Promise<void>
  /** Stores `bytes` under `name`, whether it exists or not, in one step. */
  replace(name: string, bytes: Uint8Array): Promise<void>
  /** All bytes of an object; `limitBytes` bounds what is accepted (STORE_FAILED beyond). */
  get(name: string, limitBytes: number): Promise<Uint8Array>
  /** Fills `target` from `offset` on; fewer bytes are STORE_FAILED. */
  readInto(name: string, target: Uint8Array, offset: number): Promise<void>
  /** The size in bytes, or null when there is no such object. */
  sizeOf(name: string): Promise<number | null>
  /** The name of every object that begins with `prefix` (which ends with a slash), in no particular order. */
  list(prefix: string): AsyncIterable<readonly string[]>
  /** Removes an object; one that is not there is no failure. */
  delete(name: string): Promise<void>
  /** After it returns, every name that was put or deleted before is durable. */
  flush(): Promise<void>
}

export function isStoreName(name: string): boolean {
  return name.length <= 200 && NAME.test(name)
}

/** All names below `prefix`, as one array. */
export async function listAll(store: Store, prefix: string): Promise<string[]> {
  const found: string[] = []
  for await (const batch of store.list(prefix)) found.push(...batch)
  return found
}
