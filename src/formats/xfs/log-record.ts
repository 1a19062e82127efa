// One record of the log: a header block, more of them when it is long, and its data.
import { isSameBytes } from '../../bytes/same-bytes.ts'
import { crc32c } from '../../bytes/crc32c.ts'
import { readStruct, type StructValues } from '../../bytes/struct.ts'
import type { LogRing } from './log-blocks.ts'
import {
  LOG_BLOCK_BYTES,
  LOG_BYTES_PER_HEADER,
  LOG_CHECKSUM_OFFSET,
  LOG_FURTHER_HEADER_BYTES,
  LOG_HEADER_BYTES,
  LOG_OPERATION,
  LOG_OPERATION_BYTES,
  LOG_RECORD,
  LOG_RECORD_BYTES_MAX,
  LOG_RECORD_MAGIC,
  LOG_REPLACED_WORDS_OFFSET,
} from './log-layout.ts'
import type { XfsSuperblock } from './superblock.ts'

export type LogRecord = {
  readonly header: StructValues<typeof LOG_RECORD>
  /** As it was before cycles replaced the first word of each block. */
  readonly data: Uint8Array
  /** The block behind it. */
  readonly endBlock: number
}

export type LogOperation = StructValues<typeof LOG_OPERATION> & { readonly data: Uint8Array }

/** Null unless it is a whole record of this file system. */
export async function readLogRecord(
  ring: LogRing,
  block: number,
  superblock: XfsSuperblock,
): Promise<LogRecord | null> {
  const header = readStruct(LOG_RECORD, await ring.read(block, 1))
  if (!isRecordAt(header, block) || !isOfFileSystem(header, superblock)) return null
  const size = sizeOf(header)
  if (size === null || size.headerCount + size.dataCount > ring.blockCount / 2) return null
  const { headerCount, dataCount } = size
  const headers = await ring.read(block, headerCount)
  const data = await ring.read((block + headerCount) % ring.blockCount, dataCount)
  const { checksum } = header
  // Tools write a record without one.
  const isWhole = checksum === 0 || checksums(headers, data.subarray(0, header.length)).includes(checksum)
  if (!isWhole) return null
  restoreWords(headers, data)
  return { header, data, endBlock: (block + headerCount + dataCount) % ring.blockCount }
}

function isRecordAt(header: LogRecord['header'], block: number): boolean {
  const { magic, version, cycle, lsnCycle, lsnBlock } = header
  if (magic !== LOG_RECORD_MAGIC || (version !== 1 && version !== 2)) return false
  return lsnCycle === cycle && lsnBlock === block
}

function isOfFileSystem({ uuid }: LogRecord['header'], superblock: XfsSuperblock): boolean {
  return isSameBytes(uuid, superblock.uuid) || isSameBytes(uuid, superblock.metaUuid)
}

/** In blocks; null when it cannot be. */
function sizeOf(header: LogRecord['header']): { headerCount: number; dataCount: number } | null {
  const { version, length, recordBytesMax } = header
  if (length === 0 || length > LOG_RECORD_BYTES_MAX) return null
  const isLong = version === 2 && recordBytesMax > LOG_BYTES_PER_HEADER
  if (isLong && recordBytesMax > LOG_RECORD_BYTES_MAX) return null
  const headerCount = isLong ? Math.ceil(recordBytesMax / LOG_BYTES_PER_HEADER) : 1
  if (length > headerCount * LOG_BYTES_PER_HEADER) return null
  return { headerCount, dataCount: Math.ceil(length / LOG_BLOCK_BYTES) }
}

/** The operations of a record, or null when they do not fill it as its header says. */
export function logOperations({ header, data }: LogRecord): readonly LogOperation[] | null {
  const operations: LogOperation[] = []
  let offset = 0
  for (let index = 0; index < header.operationCount; index += 1) {
    if (offset + LOG_OPERATION_BYTES > header.length) return null
    const operation = readStruct(LOG_OPERATION, data.subarray(offset))
    const start = offset + LOG_OPERATION_BYTES
    offset = start + operation.length
    if (offset > header.length) return null
    operations.push({ ...operation, data: data.subarray(start, offset) })
  }
  return operations
}

function checksums(headers: Uint8Array, data: Uint8Array): readonly number[] {
  return LOG_HEADER_BYTES.map((headerBytes) => {
    const first = headers.slice(0, headerBytes)
    first.fill(0, LOG_CHECKSUM_OFFSET, LOG_CHECKSUM_OFFSET + 4)
    let checksum = crc32c(first)
    for (let offset = LOG_BLOCK_BYTES; offset < headers.byteLength; offset += LOG_BLOCK_BYTES) {
      checksum = crc32c(headers.subarray(offset, offset + LOG_FURTHER_HEADER_BYTES), checksum)
    }
    return crc32c(data, checksum)
  })
}

function restoreWords(headers: Uint8Array, data: Uint8Array): void {
  const blocksPerHeader = LOG_BYTES_PER_HEADER / LOG_BLOCK_BYTES
  for (let index = 0; index * LOG_BLOCK_BYTES < data.byteLength; index += 1) {
    const header = Math.floor(index / blocksPerHeader)
    // Further header blocks have no other field but the cycle before the words.
    const words = header === 0 ? LOG_REPLACED_WORDS_OFFSET : header * LOG_BLOCK_BYTES + 4
    const from = words + (index % blocksPerHeader) * 4
    data.set(headers.subarray(from, from + 4), index * LOG_BLOCK_BYTES)
  }
}
