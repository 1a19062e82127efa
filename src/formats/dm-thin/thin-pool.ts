import type { FrozenImage } from '../../domain/frozen-image.ts'
import { readBytes } from '../../images/read-bytes.ts'
import type { AllocationProof } from '../file-system.ts'
import type { Finding } from '../finding.ts'
import { FormatError, UnmappedError, type StructurePlace } from '../format-error.ts'
import { FLAG_NEEDS_CHECK, METADATA_BLOCK_BYTES, sectorsToBytes } from './layout.ts'
import { parseThinSuperblock, type ThinSuperblock } from './superblock.ts'

/** Where the two trees of a pool begin: now, or when a metadata snapshot was made. */
export type ThinRoots = { readonly mappingRoot: number; readonly detailsRoot: number }

/**
 * A thin pool as its metadata device tells it. With a pool that is active only what a metadata snapshot holds stays
 * where it is; all else may change while it is read.
 */
export type ThinPool = {
  /** The metadata device, borrowed. */
  readonly image: FrozenImage
  readonly transactionId: number
  /** Goes up by one with every snapshot; creation and snapshot times are values of it. */
  readonly time: number
  readonly dataBlockBytes: number
  /** The size of the pool's data volume, in data blocks. */
  readonly dataBlockCount: number
  /** As the pool counted it at its last commit. */
  readonly dataAllocatedCount: number
  readonly metadataBlockCount: number
  readonly metadataAllocatedCount: number
  /** The pool found its own metadata wrong once, and `thin_check` has not passed it since. */
  readonly needsCheck: boolean
  /** Whether data blocks that no device refers to are proven free. */
  readonly allocation: AllocationProof
  /** Of the devices that are read: now, or those in the metadata snapshot. */
  readonly roots: ThinRoots
  /** Of the metadata snapshot that the pool holds, if it is not the one that is read. */
  readonly otherRoots: ThinRoots | null
  /** What was odd so far. Grows while trees are read. */
  readonly findings: Finding[]
}

export type ThinPoolOptions = {
  /** Read the metadata snapshot that the pool holds (`reserve_metadata_snap`), not its present state. */
  readonly snapshot: boolean
}

/** One of a pool's volumes, by its device number (`thin_id`, LVM's `device_id`). */
export type ThinVolume = { readonly pool: ThinPool; readonly deviceId: number }

/** Reads the superblock of a metadata device, and the metadata snapshot's. No tree is read yet. */
export async function openThinPool(image: FrozenImage, options: ThinPoolOptions): Promise<ThinPool> {
  const live = await readSuperblock(image, 0, 'thin pool superblock')
  const held = await readHeld(image, live, options)
  const heldRoots = held instanceof FormatError ? null : held
  const superblock = (options.snapshot ? heldRoots : null) ?? live
  const findings = superblockFindings(image, live, heldRoots)
  if (held instanceof FormatError) {
    findings.push({ structure: held.structure, offsetBytes: held.offsetBytes, found: held.found })
  }
  return {
    image,
    transactionId: superblock.transactionId,
    time: superblock.time,
    dataBlockBytes: sectorsToBytes(live.dataBlockSectors),
    dataBlockCount: live.dataBlockCount,
    dataAllocatedCount: live.dataAllocatedCount,
    metadataBlockCount: live.metadataBlockCount,
    metadataAllocatedCount: live.metadataAllocatedCount,
    needsCheck: (live.flags & FLAG_NEEDS_CHECK) !== 0,
    allocation: allocationProof(live, held),
    roots: superblock,
    otherRoots: options.snapshot ? null : heldRoots,
    findings,
  }
}

function allocationProof(live: ThinSuperblock, held: ThinSuperblock | FormatError | null): AllocationProof {
  if ((live.flags & FLAG_NEEDS_CHECK) !== 0) return { proven: false, reason: 'its thin pool needs a check' }
  if (!(held instanceof FormatError)) return { proven: true }
  return { proven: false, reason: 'the metadata snapshot of its thin pool cannot be read' }
}

/** The superblock of the metadata snapshot, or why there is none; damage is thrown only when it is what is asked for. */
async function readHeld(
  image: FrozenImage,
  live: ThinSuperblock,
  options: ThinPoolOptions,
): Promise<ThinSuperblock | FormatError | null> {
  if (live.heldRoot === 0) {
    if (!options.snapshot) return null
    throw new UnmappedError(
      'metadata snapshot',
      'Cannot read the metadata snapshot of the thin pool: it holds none',
    )
  }
  try {
    return await readSuperblock(image, live.heldRoot, 'thin pool superblock of the metadata snapshot')
  } catch (error) {
    if (options.snapshot || !(error instanceof FormatError)) throw error
    return error
  }
}

async function readSuperblock(image: FrozenImage, block: number, structure: string): Promise<ThinSuperblock> {
  const place: StructurePlace = { structure, offsetBytes: block * METADATA_BLOCK_BYTES }
  if (place.offsetBytes + METADATA_BLOCK_BYTES > image.sizeBytes) {
    throw new FormatError(place, `the device ends at byte ${image.sizeBytes}`)
  }
  const bytes = await readBytes(image, place.offsetBytes, METADATA_BLOCK_BYTES)
  const superblock = parseThinSuperblock(bytes, place)
  const dataBytes = superblock.dataBlockCount * sectorsToBytes(superblock.dataBlockSectors)
  if (Number.isSafeInteger(dataBytes)) return superblock
  throw new FormatError(place, `the data volume has ${dataBytes} bytes, expected less than 2^53`)
}

function superblockFindings(
  image: FrozenImage,
  live: ThinSuperblock,
  held: ThinSuperblock | null,
): Finding[] {
  const findings: Finding[] = []
  const add = (found: string): void => {
    findings.push({ structure: 'thin pool superblock', offsetBytes: 0, found })
  }
  if ((live.flags & FLAG_NEEDS_CHECK) !== 0)
    add('flag needs_check is set, expected a pool that needs no check')
  const otherFlags = live.flags & ~FLAG_NEEDS_CHECK
  if (otherFlags !== 0) add(`flags are 0x${live.flags.toString(16)}, expected 0 or ${FLAG_NEEDS_CHECK}`)
  const blockCount = Math.floor(image.sizeBytes / METADATA_BLOCK_BYTES)
  if (live.metadataBlockCount > blockCount) {
    add(`it manages ${live.metadataBlockCount} metadata blocks, expected at most ${blockCount}`)
  }
  if (held !== null && held.dataBlockSectors !== live.dataBlockSectors) {
    add(
      `its metadata snapshot has data blocks of ${held.dataBlockSectors} sectors, not ${live.dataBlockSectors}`,
    )
  }
  return findings
}
