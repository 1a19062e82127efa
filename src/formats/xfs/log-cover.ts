// A frozen file system is never unmounted, so its log never ends with an unmount record. But the kernel has brought
// all changes where they belong, and then logged the superblock alone, so that nothing older is in the live part of
// the log. Facts: XFS Algorithms & Data Structures, "Journaling Log", "Buffer Log Item"; the kernel's description of
// log covering in Documentation/filesystems/xfs.
import { readBytes } from '../../images/read-bytes.ts'
import type { LogRing } from './log-blocks.ts'
import type { LogHead } from './log-head.ts'
import { logOperations, readLogRecord, type LogOperation, type LogRecord } from './log-record.ts'
import type { XfsVolume } from './volume.ts'

/** The kernel covers with two; a few more are no reason to doubt. */
const RECORDS_MAX = 16
/** Items are in the byte order of the machine; only little-endian ones are read. */
const FORMAT_LITTLE_ENDIAN = 1
const START_FLAG = 0x01
const COMMIT_FLAG = 0x02
/** "TRAN" */
const TRANSACTION_MAGIC = 0x5452414e
const BUFFER_ITEM = 0x123c
/** Flags that make a buffer item say something else than "these bytes are here now". */
const BUFFER_FLAGS_MASK = 0x1f
/** A buffer item has a bit for each 128 bytes that it holds. */
const BYTES_PER_BIT = 128
/** Checksum and log position are set when the superblock is written, after it was logged. */
const SET_ON_WRITE = [
  { start: 224, end: 228 },
  { start: 240, end: 248 },
] as const

/** True when all that recovery would do is to write the superblock as it already is. */
export async function isLogCovered(
  { image, superblock }: XfsVolume,
  ring: LogRing,
  { head, newest }: { readonly head: LogHead; readonly newest: LogRecord },
): Promise<boolean> {
  let logged = new Uint8Array(0)
  let block = newest.header.tailBlock
  let cycle = newest.header.tailCycle
  for (let count = 0; count < RECORDS_MAX; count += 1) {
    if (block >= ring.blockCount) return false
    const record = await readLogRecord(ring, block, superblock)
    if (record === null || record.header.cycle !== cycle) return false
    const written = superblockOf(record)
    // A later one that says less would leave what an earlier one said.
    if (written === null || written.byteLength < logged.byteLength) return false
    logged = written
    if (record.endBlock === head.block) {
      const found = await readBytes(image, 0, superblock.sectorSizeBytes)
      return block === head.recordBlock && isSameSuperblock(logged, found)
    }
    if (record.endBlock < block) cycle += 1
    block = record.endBlock
  }
  return false
}

function isSameSuperblock(logged: Uint8Array, found: Uint8Array): boolean {
  if (logged.byteLength > found.byteLength) return false
  return logged.every(
    (byte, index) =>
      byte === found[index] || SET_ON_WRITE.some(({ start, end }) => index >= start && index < end),
  )
}

/** The bytes from the start of the superblock that the record writes last; null when it does anything else. */
function superblockOf(record: LogRecord): Uint8Array<ArrayBuffer> | null {
  const operations = record.header.format === FORMAT_LITTLE_ENDIAN ? logOperations(record) : null
  if (operations === null || operations.length === 0 || operations.length % 5 !== 0) return null
  let written = new Uint8Array(0)
  for (let index = 0; index < operations.length; index += 5) {
    const bytes = superblockOfTransaction(operations.slice(index, index + 5))
    if (bytes === null || bytes.byteLength < written.byteLength) return null
    written = bytes.slice()
  }
  return written
}

/** Start, transaction header, item, its bytes, commit: nothing else is understood. */
function superblockOfTransaction(operations: readonly LogOperation[]): Uint8Array | null {
  const [start, header, item, bytes, commit] = operations
  if (!start || !header || !item || !bytes || !commit) return null
  if (operations.some((operation) => operation.transaction !== start.transaction)) return null
  const flags = operations.map((operation) => operation.flags)
  if (flags.join() !== [START_FLAG, 0, 0, 0, COMMIT_FLAG].join()) return null
  if (start.length !== 0 || commit.length !== 0 || header.length !== 16) return null
  if (viewOf(header.data).getUint32(0, true) !== TRANSACTION_MAGIC) return null
  return isOfSuperblock(item.data, bytes.length) ? bytes.data : null
}

function isOfSuperblock(item: Uint8Array, lengthBytes: number): boolean {
  if (item.byteLength < 24) return false
  const view = viewOf(item)
  const isPlainBuffer =
    view.getUint16(0, true) === BUFFER_ITEM &&
    view.getUint16(2, true) === 2 &&
    (view.getUint16(4, true) & BUFFER_FLAGS_MASK) === 0
  const isFirstSector = view.getUint32(8, true) === 0 && view.getUint32(12, true) === 0
  const bits = view.getUint32(20, true)
  // One run of bits from the lowest on.
  const isFromStart = view.getUint32(16, true) === 1 && bits !== 0 && (bits & (bits + 1)) === 0
  return (
    isPlainBuffer && isFirstSector && isFromStart && lengthBytes === BYTES_PER_BIT * (32 - Math.clz32(bits))
  )
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
