import { isZero } from '../../bytes/is-zero.ts'
import type { FrozenImage } from '../../domain/frozen-image.ts'
import { cachedImage } from '../../images/cached-image.ts'
import { PageCache, type CacheLimits } from '../../images/page-cache.ts'
import { readBytes } from '../../images/read-bytes.ts'
import { FormatError } from '../format-error.ts'
import { readGptHeader } from '../gpt/read-copy.ts'
import { gptSectorSizes } from '../gpt/sector-sizes.ts'
import { describeBootSector, MBR_SECTOR_BYTES } from '../mbr/boot-sector.ts'
import { fileSystemOfBootSector } from '../mbr/file-system-boot-sector.ts'
import { SIGNATURES } from './signature-table.ts'
import { matchesSignature, offsetOfPlace, signatureLength, type Signature } from './signature.ts'

export type ContentKind = 'gpt' | 'mbr' | 'lvm2' | 'ext' | 'xfs' | 'foreign' | 'unknown' | 'empty'

/** One mark that was found. */
export type ContentClaim = {
  readonly kind: Exclude<ContentKind, 'unknown' | 'empty'>
  readonly name: string
  /** Where it lies. */
  readonly offsetBytes: number
}

export type Recognition = {
  /**
   * What lies on the volume: one of the kinds that are mapped; `foreign`, whose name is known and which is read
   * whole; `unknown`, which has no mark, or several that cannot all be true; `empty`, where all bytes looked at are
   * zero. What is not mapped is data: of the last three nothing is proven free.
   */
  readonly kind: ContentKind
  /** `ext`, `btrfs`; of several claims all names: `ext and btrfs`. */
  readonly name: string
  /** All that was found, by place. More than one: none is believed. */
  readonly claims: readonly ContentClaim[]
}

/** What is read at both ends, to tell a volume that is empty from one that is not known. */
const EDGE_BYTES = 128 * 1024
/** Marks lie together: a dozen reads instead of a thousand. */
const CACHE: CacheLimits = { pageBytes: 128 * 1024, memoryBytes: 4 * 1024 * 1024 }

/**
 * Tells what lies on a volume or a disk by the marks that it bears. It reads some hundred kilobytes at both ends, and
 * trusts no mark more than another: who reads the content checks it.
 */
export async function recognise(volume: FrozenImage, signal: AbortSignal): Promise<Recognition> {
  const image = cachedImage(volume, new PageCache(CACHE))
  await readAhead(image)
  const found: FoundClaim[] = [...(await tableClaims(image)), ...(await bootSectorClaims(image))]
  for (const signature of SIGNATURES) {
    signal.throwIfAborted()
    const offsetBytes = await placeOf(signature, image)
    if (offsetBytes !== null) found.push({ ...signature, offsetBytes })
  }
  const claims = believable(found)
  const [first, ...others] = claims
  if (first === undefined) {
    const kind = (await areEdgesZero(image)) ? 'empty' : 'unknown'
    return { kind, name: kind, claims }
  }
  if (others.length === 0) return { kind: first.kind, name: first.name, claims }
  const kind = claims.every((claim) => claim.kind === 'foreign') ? 'foreign' : 'unknown'
  return { kind, name: claims.map((claim) => claim.name).join(' and '), claims }
}

/** All that is looked at, at once: on a disk that is far away each read by itself takes the way there and back. */
async function readAhead(image: FrozenImage): Promise<void> {
  const wanted = new Set<number>()
  for (const signature of SIGNATURES) {
    const length = signatureLength(signature)
    for (const offset of placesIn(signature, image.sizeBytes)) {
      wanted
        .add(Math.floor(offset / CACHE.pageBytes))
        .add(Math.floor((offset + length - 1) / CACHE.pageBytes))
    }
  }
  // What cannot be read is told by who looks at it.
  await Promise.allSettled([...wanted].map((page) => readBytes(image, page * CACHE.pageBytes, 1)))
}

type FoundClaim = ContentClaim & Pick<Signature, 'isWeak' | 'insteadOf'>

/** Without the weak ones where there are strong ones, without those that another one is more precise than, each once. */
function believable(found: readonly FoundClaim[]): ContentClaim[] {
  const strong = found.filter((claim) => !claim.isWeak)
  const candidates = strong.length > 0 ? strong : found
  const replaced = new Set(candidates.map((claim) => claim.insteadOf))
  const byName = new Map<string, ContentClaim>()
  for (const { kind, name, offsetBytes } of candidates) {
    if (!replaced.has(name) && !byName.has(name)) byName.set(name, { kind, name, offsetBytes })
  }
  return [...byName.values()].toSorted((a, b) => a.offsetBytes - b.offsetBytes)
}

/** The first of its places at which the volume has the magic; null when there is none. */
async function placeOf(signature: Signature, image: FrozenImage): Promise<number | null> {
  const length = signatureLength(signature)
  for (const offset of placesIn(signature, image.sizeBytes)) {
    if (matchesSignature(signature, await readBytes(image, offset, length))) return offset
  }
  return null
}

function placesIn(signature: Signature, sizeBytes: number): readonly number[] {
  const length = signatureLength(signature)
  return signature.places.flatMap((place) => {
    const offset = offsetOfPlace(place, sizeBytes)
    return offset === null || offset + length > sizeBytes ? [] : [offset]
  })
}

async function tableClaims(image: FrozenImage): Promise<FoundClaim[]> {
  if (image.sizeBytes < MBR_SECTOR_BYTES) return []
  const mbr = { kind: 'mbr', name: 'mbr', offsetBytes: 0, isWeak: false, insteadOf: null } as const
  const { kind } = describeBootSector(await readBytes(image, 0, MBR_SECTOR_BYTES))
  // A damaged GPT is one all the same, as long as sector 0 says so.
  const gptOffset = kind === 'protective' || kind === 'hybrid' ? 0 : await gptHeaderOffset(image)
  const claims: FoundClaim[] = []
  if (kind === 'partitions') claims.push(mbr)
  if (kind === 'blank') claims.push({ ...mbr, isWeak: true })
  if (gptOffset !== null) claims.push({ ...mbr, kind: 'gpt', name: 'gpt', offsetBytes: gptOffset })
  return claims
}

/** Where there is a sound primary header. The backup alone is what remains of a disk that was used anew. */
async function gptHeaderOffset(image: FrozenImage): Promise<number | null> {
  for (const sizeBytes of gptSectorSizes(image)) {
    const sectors = { sizeBytes, count: Math.floor(image.sizeBytes / sizeBytes) }
    try {
      await readGptHeader(image, { kind: 'primary', lba: 1, sectors })
      return sizeBytes
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
    }
  }
  return null
}

/** FAT, NTFS and their like are known by the whole of their first sector. */
async function bootSectorClaims(image: FrozenImage): Promise<FoundClaim[]> {
  if (image.sizeBytes < MBR_SECTOR_BYTES) return []
  const name = fileSystemOfBootSector(await readBytes(image, 0, MBR_SECTOR_BYTES))
  return name === null ? [] : [{ kind: 'foreign', name, offsetBytes: 0, isWeak: false, insteadOf: null }]
}

async function areEdgesZero(image: FrozenImage): Promise<boolean> {
  const length = Math.min(EDGE_BYTES, image.sizeBytes)
  for (const offset of [0, image.sizeBytes - length]) {
    if (!isZero(await readBytes(image, offset, length))) return false
  }
  return true
}
