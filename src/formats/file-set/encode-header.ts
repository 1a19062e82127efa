import { crc32c } from '../../bytes/crc32c.ts'
import { writeStruct } from '../../bytes/struct.ts'
import { FILE_SET_MAGIC, FILE_SET_VERSION, HEADER, HEADER_SIZE_BYTES } from './layout.ts'
import type { FileSetHeader } from './read-index.ts'

export function encodeFileSetHeader(header: FileSetHeader): Uint8Array {
  const bytes = new Uint8Array(HEADER_SIZE_BYTES)
  const values = {
    ...header,
    magic: Uint8Array.fromHex(FILE_SET_MAGIC),
    version: FILE_SET_VERSION,
    reserved: 0,
    checksum: 0,
  }
  writeStruct(HEADER, bytes, values)
  writeStruct(HEADER, bytes, { ...values, checksum: crc32c(bytes.subarray(0, HEADER.checksum[0])) })
  return bytes
}
