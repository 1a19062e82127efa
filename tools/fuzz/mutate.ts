import type { Randomness } from '../../src/domain/randomness.ts'
import { SparseBytes } from '../../test/support/sparse-bytes.ts'
import { changeOnce } from './change-structure.ts'
import type { Around } from './field-value.ts'
import { pick } from './pick.ts'
import type { Structure } from './structure.ts'
import { damageSurely, hasSureDamage } from './sure-damage.ts'

const STALE_ONCE_IN = 10
const SURE_ONCE_IN = 4
const SWAPPED_ONCE_IN = 25
/** Changes of one structure. Mostly one: what is refused at once hides whatever else is wrong. */
const CHANGE_COUNTS = [1, 1, 1, 1, 1, 2, 3] as const
/** Structures: what is wrong with one of many files or blocks hides nothing of the others. */
const STRUCTURE_COUNTS = [1, 2, 3, 4, 5, 6, 8] as const
/** Without these nothing else is read. */
const HIDES_ALL =
  /(superblock|label|area header|text|text again|text once more|header|index|MBR|boot sector|entries)$/

export type Mutated = {
  readonly images: readonly SparseBytes[]
  /** What a reader must say something of, for it is all that is wrong; null when that is not sure. */
  readonly mustBeNoticed: string | null
}

/** Damages copies of images: some structures, each in some places, and mends their checksums but for one time in ten. */
export function mutate(
  images: readonly SparseBytes[],
  structures: readonly Structure[],
  random: Randomness,
): Mutated {
  const copies = images.map((image) => image.copy())
  const sure = random.below(SURE_ONCE_IN) === 0 ? damageOne(copies, structures, random) : null
  if (sure !== null) return { images: copies, mustBeNoticed: sure }
  const kinds = [...new Set(structures.map(({ kind }) => kind))]
  const hiding = kinds.filter((kind) => HIDES_ALL.test(kind))
  const isHiding = hiding.length === kinds.length || random.below(4) === 0
  const chosen = isHiding && hiding.length > 0 ? hiding : kinds.filter((kind) => !HIDES_ALL.test(kind))
  const count = isHiding ? pick(CHANGE_COUNTS, random) : pick(STRUCTURE_COUNTS, random)
  const isStale = random.below(STALE_ONCE_IN) === 0
  let stale: Structure | null = null
  for (let index = 0; index < count; index += 1) {
    // By kind first: there is one superblock, and a thousand inodes.
    const kind = pick(chosen, random)
    const ofKind = structures.filter((each) => each.kind === kind)
    const structure = pick(ofKind, random)
    const around = { structure, ofKind, structures, copies, random }
    if (random.below(SWAPPED_ONCE_IN) === 0) swap(structure, pick(ofKind, random), copies)
    else if (changeStructure(around) && isStale && count === 1) stale = structure
    if (!isStale) structure.mend(copies)
  }
  const mustBeNoticed = stale?.isChecked === true ? `the checksum of ${nameOf(stale)}` : null
  return { images: copies, mustBeNoticed }
}

function nameOf({ kind, image, offset }: Structure): string {
  return `${kind} at byte ${offset} of image ${image}`
}

/** One field, with all checksums mended, of which a reader has to say that it is wrong. */
function damageOne(
  copies: readonly SparseBytes[],
  structures: readonly Structure[],
  random: Randomness,
): string | null {
  const sure = structures.filter(hasSureDamage)
  if (sure.length === 0) return null
  const kind = pick([...new Set(sure.map((each) => each.kind))], random)
  const structure = pick(
    sure.filter((each) => each.kind === kind),
    random,
  )
  const image = copies[structure.image]
  if (image === undefined) return null
  const bytes = image.read(structure.offset, structure.length)
  const done = damageSurely(bytes, { structure, sizeBytes: image.sizeBytes }, random)
  if (done === null) return null
  image.write(bytes, structure.offset)
  structure.mend(copies)
  return `${done} of ${nameOf(structure)}`
}

/** Whether there is any change. */
function changeStructure(around: Around): boolean {
  const { structure, copies, random } = around
  const image = copies[structure.image]
  if (image === undefined) return false
  const before = image.read(structure.offset, structure.length)
  const bytes = before.slice()
  const changeCount = pick(CHANGE_COUNTS, random)
  for (let change = 0; change < changeCount; change += 1) changeOnce(bytes, around)
  image.write(bytes, structure.offset)
  return Buffer.compare(before, bytes) !== 0
}

/** Each has the bytes of the other: what says where it lies is wrong, all else is right. */
function swap(one: Structure, other: Structure, copies: readonly SparseBytes[]): void {
  const [image, otherImage] = [copies[one.image], copies[other.image]]
  if (image === undefined || otherImage === undefined || one.length !== other.length) return
  const bytes = image.read(one.offset, one.length)
  image.write(otherImage.read(other.offset, other.length), one.offset)
  otherImage.write(bytes, other.offset)
  other.mend(copies)
}

/** A disk that ends early: somewhere, or before its last sector. */
export function cutOff(image: SparseBytes, random: Randomness): SparseBytes {
  const { sizeBytes, pages } = image
  return new SparseBytes(random.below(2) === 0 ? random.below(sizeBytes) : sizeBytes - 512, pages)
}
