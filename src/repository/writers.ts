import * as v from 'valibot'
import { ErrorCode, isBackupError } from '../domain/backup-error.ts'
import { WRITERS_PREFIX } from './object-names.ts'
import type { Store } from './store.ts'
import { listAll } from './store.ts'

/**
 * Who writes now. A writer puts its record before it reads the index and takes it away after its point is
 * durable; what a dead one leaves tells the next run that there may be packs that no index names, and a future
 * prune whom to wait for. Clocks are not compared: a writer is dead when its own host says so.
 */
export type WriterRecord = {
  /** 16 hexadecimal digits, random. */
  readonly id: string
  readonly host: string
  /** The kernel's boot id: a process of an earlier boot is dead. */
  readonly bootId: string
  readonly pid: number
  /** Clock ticks between boot and the start of the process: a number that a reused pid does not share. */
  readonly pidStart: number
  readonly startedAt: string
}

const RECORD_SIZE_MAX = 4096
const schema = v.object({
  id: v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/)),
  host: v.pipe(v.string(), v.maxLength(300)),
  bootId: v.pipe(v.string(), v.maxLength(100)),
  pid: v.pipe(v.number(), v.safeInteger()),
  pidStart: v.pipe(v.number(), v.safeInteger()),
  startedAt: v.string(),
})

export async function putWriter(store: Store, record: WriterRecord): Promise<void> {
  await store.put(`${WRITERS_PREFIX}${record.id}`, Buffer.from(JSON.stringify(record)))
  await store.flush()
}

export async function removeWriter(store: Store, id: string): Promise<void> {
  await store.delete(`${WRITERS_PREFIX}${id}`)
}

/** All records; one that cannot be read is taken for a writer that is alive. */
export async function listWriters(store: Store): Promise<readonly WriterRecord[]> {
  const names = await listAll(store, WRITERS_PREFIX)
  const records = await Promise.all(names.map((name) => readWriter(store, name)))
  return records.filter((record) => record !== null)
}

async function readWriter(store: Store, name: string): Promise<WriterRecord | null> {
  const id = name.slice(WRITERS_PREFIX.length)
  const unknown = { id, host: 'unknown', bootId: '', pid: 0, pidStart: 0, startedAt: '' }
  try {
    const result = v.safeParse(
      schema,
      JSON.parse(Buffer.from(await store.get(name, RECORD_SIZE_MAX)).toString('utf8')),
    )
    return result.success && result.output.id === id ? result.output : unknown
  } catch (error) {
    // Only one that has signed off since it was listed is no writer any more.
    return isBackupError(error, ErrorCode.StoreObjectMissing) ? null : unknown
  }
}
