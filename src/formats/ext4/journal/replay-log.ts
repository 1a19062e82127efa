// What the blocks of the volume would be after the log was replayed: for each, where in the journal its newest
// content lies that was neither revoked nor damaged.
import type { BlockOverlay } from '../../../images/overlay-image.ts'
import type { Ext4Volume } from '../volume.ts'
import { taggedBlockFits } from './block-checksums.ts'
import { JOURNAL_MAGIC } from './journal-layout.ts'
import { readRevocations, Revocations } from './revocations.ts'
import type { Log, OpenJournal } from './scan-log.ts'

const MAGIC_BYTES = Uint8Array.of(
  JOURNAL_MAGIC >>> 24,
  (JOURNAL_MAGIC >>> 16) & 0xff,
  (JOURNAL_MAGIC >>> 8) & 0xff,
  JOURNAL_MAGIC & 0xff,
)

/** Throws nothing for what is damaged: it is reported and left out, as the kernel does. */
export async function replayLog(volume: Ext4Volume, journal: OpenJournal, log: Log): Promise<BlockOverlay> {
  const order = inTargetOrder(log)
  const targets = distinctTargets(log, order)
  const revocations = new Revocations(targets)
  const damaged = await readRevocations(journal, log, revocations)
  for (let index = 0; index < damaged.length; index += 1) {
    reportDamage(volume, journal, {
      place: damaged.at(index),
      found: 'it is a damaged revoke block; what it revoked is not known',
    })
  }
  const candidates = new Candidates(log, { order, targets, revocations })
  const chosen = await chooseSound(volume, journal, { log, candidates })
  const heads = new Map<number, Uint8Array>()
  const tags = chosen.toSorted((a, b) => log.targets.at(a) - log.targets.at(b))
  for (const tag of tags) if (log.escaped.at(tag) === 1) heads.set(log.targets.at(tag), MAGIC_BYTES)
  return {
    blockSizeBytes: volume.superblock.blockSizeBytes,
    blocks: Float64Array.from(tags, (tag) => log.targets.at(tag)),
    sources: Float64Array.from(tags, (tag) => journal.reader.offsetOf(log.places.at(tag))),
    heads,
  }
}

/** For each target the tags that may be its content, the newest first. */
class Candidates {
  readonly count: number
  readonly #log: Log
  readonly #order: Uint32Array
  readonly #revocations: Revocations
  /** By target: the index in the order of the next tag, and that of the first tag of the next target. */
  readonly #next: Uint32Array
  readonly #end: Uint32Array

  constructor(
    log: Log,
    parts: {
      readonly order: Uint32Array
      readonly targets: Float64Array
      readonly revocations: Revocations
    },
  ) {
    this.#log = log
    this.#order = parts.order
    this.#revocations = parts.revocations
    this.count = parts.targets.length
    this.#next = new Uint32Array(this.count)
    this.#end = new Uint32Array(this.count)
    let position = 0
    for (const [index, target] of parts.targets.entries()) {
      this.#next[index] = position
      while (position < parts.order.length && log.targets.at(parts.order[position] ?? 0) === target)
        position += 1
      this.#end[index] = position
    }
  }

  /** The newest tag of target number `index` that was not taken before and not revoked; null when there is none. */
  take(index: number): number | null {
    const end = this.#end[index] ?? 0
    for (let position = this.#next[index] ?? end; position < end; position += 1) {
      const tag = this.#order[position] ?? 0
      if (this.#revocations.isRevoked(index, this.#log.sequences.at(tag))) continue
      this.#next[index] = position + 1
      return tag
    }
    this.#next[index] = end
    return null
  }
}

/** For each target the newest tag that leads to sound content; read in the order in which they lie in the journal. */
async function chooseSound(
  volume: Ext4Volume,
  journal: OpenJournal,
  { log, candidates }: { readonly log: Log; readonly candidates: Candidates },
): Promise<number[]> {
  const chosen: number[] = []
  let open = Uint32Array.from({ length: candidates.count }, (_, index) => index)
  while (open.length > 0) {
    const tried: { readonly index: number; readonly tag: number }[] = []
    for (const index of open) {
      const tag = candidates.take(index)
      if (tag !== null) tried.push({ index, tag })
    }
    const damaged: number[] = []
    for (const { index, tag } of tried.toSorted((a, b) => log.places.at(a.tag) - log.places.at(b.tag))) {
      if (await isSound(volume, journal, { log, tag })) chosen.push(tag)
      else damaged.push(index)
    }
    open = Uint32Array.from(damaged)
  }
  return chosen
}

/** The indices of the tags by target, the newest first. */
function inTargetOrder(log: Log): Uint32Array {
  const order = Uint32Array.from({ length: log.tagCount }, (_, index) => index)
  return order.toSorted((a, b) => log.targets.at(a) - log.targets.at(b) || b - a)
}

function distinctTargets(log: Log, order: Uint32Array): Float64Array {
  const targets = new Float64Array(order.length)
  let count = 0
  for (const tag of order) {
    const target = log.targets.at(tag)
    if (count === 0 || targets[count - 1] !== target) targets[count++] = target
  }
  return targets.subarray(0, count)
}

/** Whether what a tag leads to can be replayed; reports why not. */
async function isSound(
  volume: Ext4Volume,
  journal: OpenJournal,
  { log, tag }: { readonly log: Log; readonly tag: number },
): Promise<boolean> {
  const { superblock, image } = volume
  const target = log.targets.at(tag)
  const place = log.places.at(tag)
  const wrong = (found: string): false => {
    reportDamage(volume, journal, { place, found: `${found}; it is not replayed` })
    return false
  }
  const end = (target + 1) * superblock.blockSizeBytes
  if (target >= superblock.blockCount || end > image.sizeBytes) {
    return wrong(`it is said to be block ${target}, which the volume does not have`)
  }
  const block = await journal.reader.read(place)
  if (block === null) return wrong('it lies beyond the end of the image')
  const checksum = log.checksums.at(tag)
  if (!taggedBlockFits(journal.superblock, { sequence: log.sequences.at(tag), checksum }, block)) {
    return wrong(`its checksum does not fit, as block ${target}`)
  }
  return true
}

function reportDamage(
  volume: Ext4Volume,
  journal: OpenJournal,
  { place, found }: { readonly place: number; readonly found: string },
): void {
  volume.report({
    structure: `block ${place} of the ext4 journal`,
    offsetBytes: journal.reader.offsetOf(place),
    found,
  })
}
