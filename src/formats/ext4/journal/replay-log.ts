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
  const out: Replayed = { blocks: [], sources: [], heads: new Map() }
  let next = 0
  for (let index = 0; index < targets.length; index += 1) {
    const target = targets[index] ?? 0
    let isFound = false
    while (next < order.length && log.targets.at(order[next] ?? 0) === target) {
      const tag = order[next] ?? 0
      next += 1
      if (isFound || revocations.isRevoked(index, log.sequences.at(tag))) continue
      isFound = await takeTag(volume, journal, { log, tag, out })
    }
  }
  const { blockSizeBytes } = volume.superblock
  return {
    blockSizeBytes,
    blocks: Float64Array.from(out.blocks),
    sources: Float64Array.from(out.sources),
    heads: out.heads,
  }
}

type Replayed = {
  readonly blocks: number[]
  readonly sources: number[]
  readonly heads: Map<number, Uint8Array>
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

/** Takes the content that a tag leads to, unless it is damaged. */
async function takeTag(
  volume: Ext4Volume,
  journal: OpenJournal,
  { log, tag, out }: { readonly log: Log; readonly tag: number; readonly out: Replayed },
): Promise<boolean> {
  const { superblock, image } = volume
  const target = log.targets.at(tag)
  const place = log.places.at(tag)
  const source = journal.reader.offsetOf(place)
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
  out.blocks.push(target)
  out.sources.push(source)
  if (log.escaped.at(tag) === 1) out.heads.set(target, MAGIC_BYTES)
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
