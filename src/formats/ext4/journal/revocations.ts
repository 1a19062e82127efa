// Revoke blocks: what earlier transactions wrote to a block is not to be replayed, as it now belongs to a file.
import { NumberColumn } from '../../../extents/number-column.ts'
import { TAIL_SIZE, tailFits } from './block-checksums.ts'
import { JOURNAL_HEADER_SIZE } from './journal-layout.ts'
import type { Log, OpenJournal } from './scan-log.ts'

const TWO_TO_32 = 2 ** 32

/** Numbers of transactions go around; `a` comes after `b` when it is less than half the circle ahead. */
function isAfter(a: number, b: number): boolean {
  return ((a - b) | 0) > 0
}

/** For some blocks of the volume, the last transaction that revoked them. */
export class Revocations {
  readonly #targets: Float64Array
  /** By index of a target; -1 when nobody revoked it. */
  readonly #sequences: Float64Array

  /** `targets` ascending, each once: what other blocks were revoked does not matter. */
  constructor(targets: Float64Array) {
    this.#targets = targets
    this.#sequences = new Float64Array(targets.length).fill(-1)
  }

  add(block: number, sequence: number): void {
    const index = this.#indexOf(block)
    const known = this.#sequences[index]
    if (known === undefined) return
    if (known === -1 || isAfter(sequence, known)) this.#sequences[index] = sequence
  }

  /** Whether what transaction `sequence` wrote to target number `index` was revoked by it or by a later one. */
  isRevoked(index: number, sequence: number): boolean {
    const revoked = this.#sequences[index] ?? -1
    return revoked !== -1 && !isAfter(sequence, revoked)
  }

  /** -1 when it is no target. */
  #indexOf(block: number): number {
    let low = 0
    let high = this.#targets.length - 1
    while (low <= high) {
      const middle = (low + high) >>> 1
      const found = this.#targets[middle] ?? 0
      if (found === block) return middle
      if (found < block) low = middle + 1
      else high = middle - 1
    }
    return -1
  }
}

/** Reads the revoke blocks of committed transactions; returns the places of those that are damaged. */
export async function readRevocations(
  journal: OpenJournal,
  log: Log,
  revocations: Revocations,
): Promise<NumberColumn> {
  const damaged = new NumberColumn()
  for (let index = 0; index < log.revokeCount; index += 1) {
    const place = log.revokePlaces.at(index)
    const block = await journal.reader.read(place)
    const isRead =
      block !== null && takeBlock(journal, block, { revocations, sequence: log.revokeSequences.at(index) })
    if (!isRead) damaged.push(place)
  }
  return damaged
}

function takeBlock(
  { superblock }: OpenJournal,
  block: Uint8Array,
  { revocations, sequence }: { readonly revocations: Revocations; readonly sequence: number },
): boolean {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength)
  const end = view.getUint32(JOURNAL_HEADER_SIZE)
  const endMax = block.byteLength - (superblock.checksumVersion === 0 ? 0 : TAIL_SIZE)
  if (!tailFits(superblock, block) || end > endMax) return false
  const recordSize = superblock.has64BitNumbers ? 8 : 4
  for (let offset = JOURNAL_HEADER_SIZE + 4; offset + recordSize <= end; offset += recordSize) {
    const first = view.getUint32(offset)
    const number = superblock.has64BitNumbers ? first * TWO_TO_32 + view.getUint32(offset + 4) : first
    revocations.add(number, sequence)
  }
  return true
}
