import { TAG_SIZE } from '../aes-gcm.ts'
import type { ChunkCodec } from '../chunk-codec.ts'
import { FILE_HEADER_SIZE } from '../file-header.ts'
import {
  EntryKind,
  PACK_SIZE_MAX,
  PACK_TRAILER_SIZE,
  parseDirectory,
  parsePackTrailer,
  type PackEntry,
} from '../pack-format.ts'
import type { PackReader } from '../pack-reader.ts'
import { NODE_SIZE_MAX } from '../tree-node.ts'
import { directorySum } from './entry-sum.ts'
import { damagedPack, type PackFindings } from './pack-findings.ts'
import { CheckCode } from './problem.ts'
import { damageOf } from './unreadable.ts'

export type VerifyPackParts = {
  readonly codec: ChunkCodec
  /** Null when there is no key: names are compared with bytes, and nothing is opened. */
  readonly packs: PackReader | null
  /** Room for one chunk, and for one node. */
  readonly chunk: Uint8Array
  readonly node: Uint8Array
}

/** Room for what an entry opens to. */
export function verifyBuffers(chunkSizeBytes: number): Pick<VerifyPackParts, 'chunk' | 'node'> {
  return { chunk: new Uint8Array(chunkSizeBytes), node: new Uint8Array(NODE_SIZE_MAX) }
}

/** Why a pack of this size can be none; null when it can. */
export function impossibleSize(sizeBytes: number): string | null {
  if (sizeBytes >= FILE_HEADER_SIZE + PACK_TRAILER_SIZE && sizeBytes <= PACK_SIZE_MAX) return null
  const range = `${FILE_HEADER_SIZE + PACK_TRAILER_SIZE} to ${PACK_SIZE_MAX}`
  return `it has ${sizeBytes} bytes, expected ${range}`
}

/**
 * Verifies all bytes of a pack: its name, its parts, and every chunk and node against its id. The bytes are
 * decrypted in place.
 */
export function verifyPack(
  pack: { packId: string; bytes: Uint8Array },
  parts: VerifyPackParts,
): PackFindings {
  const { packId, bytes } = pack
  const about = { packId, sizeBytes: bytes.byteLength }
  const found = parts.codec.digest(bytes).toHex()
  if (found !== packId) {
    return damagedPack(about, { code: CheckCode.PackDamaged, reason: `its SHA-256 is ${found}` })
  }
  if (parts.packs === null) return { ...about, chunkCount: 0, nodeCount: 0, entrySum: 0, damage: null }
  try {
    return { ...about, ...verifyParts(pack, { ...parts, packs: parts.packs }) }
  } catch (error) {
    return damagedPack(about, { code: CheckCode.PackDamaged, reason: damageOf(error) })
  }
}

function verifyParts(
  pack: { packId: string; bytes: Uint8Array },
  parts: VerifyPackParts & { readonly packs: PackReader },
): Omit<PackFindings, 'packId' | 'sizeBytes'> {
  const { packId, bytes } = pack
  const header = bytes.slice(0, FILE_HEADER_SIZE)
  const key = parts.packs.keyFromHeader(packId, header)
  const tail = bytes.subarray(bytes.byteLength - PACK_TRAILER_SIZE)
  const trailer = parsePackTrailer(tail, { sizeBytes: bytes.byteLength, encrypted: key !== null })
  const offset = trailer.directoryOffset
  const sealed = bytes.subarray(offset, offset + trailer.directoryLength)
  const directory = parts.packs.openDirectory({ header, key, directory: sealed, offset })
  const entries = parseDirectory(directory, trailer)
  const bad: string[] = []
  let nodeCount = 0
  for (const entry of entries) {
    if (entry.kind === EntryKind.Node) nodeCount += 1
    const reason = verifyEntry(pack, { entry, key, ...parts })
    if (reason !== null) bad.push(reason)
  }
  const chunkCount = entries.length - nodeCount
  const damage =
    bad[0] === undefined
      ? null
      : { code: CheckCode.ChunkDamaged, reason: `${bad.length} entries are wrong, the first: ${bad[0]}` }
  return { chunkCount, nodeCount, entrySum: directorySum(directory), damage }
}

function verifyEntry(
  pack: { packId: string; bytes: Uint8Array },
  open: VerifyPackParts & { packs: PackReader; entry: PackEntry; key: Uint8Array | null },
): string | null {
  const { entry, key } = open
  const { id, offset, storedSize } = entry
  const stored = pack.bytes.subarray(offset, offset + storedSize)
  const bodySize = storedSize - (key === null ? 0 : TAG_SIZE)
  if (entry.kind === EntryKind.Node && (bodySize < 1 || bodySize > NODE_SIZE_MAX)) {
    return `tree node ${id.toHex()} has ${storedSize} bytes`
  }
  const target = entry.kind === EntryKind.Chunk ? open.chunk : open.node.subarray(0, bodySize)
  try {
    open.packs.open({ id, place: { packId: pack.packId, ...entry }, key, stored }, target)
    return null
  } catch (error) {
    return damageOf(error)
  }
}
