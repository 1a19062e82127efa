// Whether the log holds changes that are not yet where they belong. Then the trees of free space, as they lie on the
// disk, prove nothing. In doubt it does.
import { logRing } from './log-blocks.ts'
import { isLogCovered } from './log-cover.ts'
import { findLogHead } from './log-head.ts'
import { LOG_UNMOUNT_FLAG } from './log-layout.ts'
import { logOperations, readLogRecord } from './log-record.ts'
import type { XfsVolume } from './volume.ts'

/** Null when the log is clean; else what is the matter, as the end of a sentence. */
export async function readLogState(volume: XfsVolume): Promise<string | null> {
  const ring = logRing(volume)
  if (ring === null) return 'its log lies on another device'
  const head = await findLogHead(ring)
  if (typeof head === 'string') return head
  const record = await readLogRecord(ring, head.recordBlock, volume.superblock)
  if (record === null) return 'the newest record of its log is damaged'
  if (record.endBlock !== head.block) return 'the newest record of its log is not whole'
  const operations = logOperations(record)
  const [operation] = operations ?? []
  const isUnmount =
    operations?.length === 1 && operation !== undefined && (operation.flags & LOG_UNMOUNT_FLAG) !== 0
  if (isUnmount || (await isLogCovered(volume, ring, { head, newest: record }))) return null
  return 'its log needs recovery'
}
