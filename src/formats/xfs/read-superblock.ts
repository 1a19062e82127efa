// Finds the superblock: the first sector of the volume, or, when that is damaged, the copy in another AG.
import type { FrozenImage } from '../../domain/frozen-image.ts'
import { readBytes } from '../../images/read-bytes.ts'
import { addFindingOnce } from '../add-finding.ts'
import type { Finding } from '../finding.ts'
import { FormatError, type StructurePlace } from '../format-error.ts'
import { SUPERBLOCK_BYTES_MIN } from './superblock-layout.ts'
import { parseSuperblock, type XfsSuperblock } from './superblock.ts'

/** The largest sector of the format. */
const SECTOR_BYTES_MAX = 32 * 1024
/** How `mkfs.xfs` may have cut a volume whose first sector says nothing: so many AGs, or AGs of 1 TiB. */
const AG_COUNTS_TRIED = [4, 2, 3, 8, 16, 32]
const AG_BYTES_MAX = 2 ** 40
const BLOCK_SIZES = [4096, 512, 1024, 2048, 8192, 16384, 32768, 65536]

export type FoundSuperblock = {
  readonly superblock: XfsSuperblock
  /** False when the copy of another AG was taken: its counters are old, and perhaps more is. */
  readonly isPrimary: boolean
}

/**
 * Throws the FormatError of the first sector when no copy is better, and UnmappedError when the file system is of a
 * kind that is not mapped. Also refuses a file system that is larger than the image.
 */
export async function readSuperblock(image: FrozenImage, findings: Finding[]): Promise<FoundSuperblock> {
  const place = { structure: 'XFS superblock', offsetBytes: 0 }
  if (image.sizeBytes < SUPERBLOCK_BYTES_MIN)
    throw new FormatError(place, `the image ends at byte ${image.sizeBytes}`)
  const bytes = await sectorAt(image, 0)
  try {
    const superblock = parsed(image, bytes, place)
    if (!hasRoot(superblock)) throw new FormatError(place, `its root is inode ${superblock.rootInode}`)
    noteOtherDevices(superblock, findings)
    return { superblock, isPrimary: true }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    const copy = await readCopy(image, bytes)
    if (copy === null) throw error
    addFindingOnce(findings, error, `${error.found}; the copy at byte ${copy.offsetBytes} is used`)
    return { superblock: copy.superblock, isPrimary: false }
  }
}

/** What is not in this volume is no fault of it, but whoever restores it must have it too. */
function noteOtherDevices({ log, realtime }: XfsSuperblock, findings: Finding[]): void {
  const place = { structure: 'XFS superblock', offsetBytes: 0 }
  if (log.startFsBlock === null) {
    addFindingOnce(findings, place, 'its log lies on another device, which is not part of this volume')
  }
  if (realtime !== null) {
    addFindingOnce(
      findings,
      place,
      `its realtime part, ${realtime.blockCount} blocks, lies on another device, which is not part of this volume`,
    )
  }
}

type Copy = { readonly superblock: XfsSuperblock; readonly offsetBytes: number }

async function readCopy(image: FrozenImage, primary: Uint8Array): Promise<Copy | null> {
  for (const agBytes of likelyAgBytes(image.sizeBytes, primary)) {
    const copy = await copyAt(image, agBytes, 1)
    if (copy === null) continue
    if (hasRoot(copy.superblock)) return copy
    // `mkfs.xfs` writes the copies before it makes the root; it comes back to two of them.
    const lastAg = copy.superblock.agCount - 1
    for (const agNumber of [lastAg, Math.floor(lastAg / 2)]) {
      const other = agNumber === 0 ? null : await copyAt(image, agBytes, agNumber)
      if (other !== null && hasRoot(other.superblock)) return other
    }
  }
  return null
}

/** Null unless there is a sound superblock that says itself that it lies there: one within a file does not count. */
async function copyAt(image: FrozenImage, agBytes: number, agNumber: number): Promise<Copy | null> {
  const offsetBytes = agNumber * agBytes
  if (offsetBytes + SUPERBLOCK_BYTES_MIN > image.sizeBytes) return null
  try {
    const place = { structure: `XFS superblock of AG ${agNumber}`, offsetBytes }
    const superblock = parsed(image, await sectorAt(image, offsetBytes), place)
    const isHere =
      superblock.agBlocks * superblock.blockSizeBytes === agBytes && agNumber < superblock.agCount
    return isHere ? { superblock, offsetBytes } : null
  } catch (error) {
    if (error instanceof FormatError) return null
    throw error
  }
}

/** How long AGs may be: what the damaged superblock says, then what is usual. */
function likelyAgBytes(sizeBytes: number, primary: Uint8Array): readonly number[] {
  const view = new DataView(primary.buffer, primary.byteOffset, primary.byteLength)
  const said = view.getUint32(4) * view.getUint32(84)
  const guessed = AG_COUNTS_TRIED.flatMap((count) =>
    BLOCK_SIZES.map((blockSize) => Math.ceil(Math.floor(sizeBytes / blockSize) / count) * blockSize),
  )
  return [...new Set([said, ...guessed, AG_BYTES_MAX])].filter((bytes) => bytes > 0)
}

function hasRoot({ rootInode }: XfsSuperblock): boolean {
  return Number.isSafeInteger(rootInode) && rootInode > 0
}

function sectorAt(image: FrozenImage, offset: number): Promise<Uint8Array> {
  return readBytes(image, offset, Math.min(SECTOR_BYTES_MAX, image.sizeBytes - offset))
}

function parsed(image: FrozenImage, bytes: Uint8Array, place: StructurePlace): XfsSuperblock {
  const superblock = parseSuperblock(bytes, place)
  if (superblock.sizeBytes > image.sizeBytes) {
    throw new FormatError(place, `it says ${superblock.sizeBytes} bytes, the image has ${image.sizeBytes}`)
  }
  return superblock
}
