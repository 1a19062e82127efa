import type { Magic } from './magic.ts'

/**
 * The first 64 bytes of every pack, index segment, recovery point and condemnation:
 *
 *   0x00  magic          8 bytes
 *   0x08  version        u32le, 1
 *   0x0c  flags          u32le, bit 0: sealed with AES-256-GCM; the others zero
 *   0x10  repository id  16 bytes
 *   0x20  salt           32 bytes, random; the key of this file is derived from it
 */
export const FILE_HEADER_SIZE = 64
const VERSION = 1
const FLAG_ENCRYPTED = 1

export type FileHeader = {
  readonly magic: Magic
  readonly encrypted: boolean
  /** 32 hexadecimal digits. */
  readonly repositoryId: string
  readonly salt: Uint8Array
}

export function encodeFileHeader(header: FileHeader): Uint8Array {
  const bytes = new Uint8Array(FILE_HEADER_SIZE)
  const view = new DataView(bytes.buffer)
  bytes.set(Uint8Array.fromHex(header.magic))
  view.setUint32(8, VERSION, true)
  view.setUint32(12, header.encrypted ? FLAG_ENCRYPTED : 0, true)
  bytes.set(Uint8Array.fromHex(header.repositoryId), 16)
  bytes.set(header.salt, 32)
  return bytes
}

/** Throws SyntaxError that says what was found and expected. */
export function parseFileHeader(
  bytes: Uint8Array,
  expected: { magic: Magic; repositoryId: string },
): FileHeader {
  if (bytes.byteLength < FILE_HEADER_SIZE) {
    throw new SyntaxError(`file has ${bytes.byteLength} bytes, a header needs ${FILE_HEADER_SIZE}`)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, FILE_HEADER_SIZE)
  const magic = bytes.subarray(0, 8).toHex()
  if (magic !== expected.magic) throw new SyntaxError(`magic is ${magic}, expected ${expected.magic}`)
  const version = view.getUint32(8, true)
  if (version !== VERSION) throw new SyntaxError(`version is ${version}, expected ${VERSION}`)
  const flags = view.getUint32(12, true)
  if (flags > FLAG_ENCRYPTED) throw new SyntaxError(`flags are 0x${flags.toString(16)}, expected 0 or 1`)
  const repositoryId = bytes.subarray(16, 32).toHex()
  if (repositoryId !== expected.repositoryId) {
    throw new SyntaxError(`it belongs to repository ${repositoryId}, expected ${expected.repositoryId}`)
  }
  return {
    magic: expected.magic,
    encrypted: flags === FLAG_ENCRYPTED,
    repositoryId,
    salt: bytes.slice(32, 64),
  }
}
