import { formatByteSize } from '../../domain/byte-size.ts'
import { formatDuration } from '../../domain/duration.ts'
import { type Finding, ok, orWell, unknown, warning } from './finding.ts'

/** A base that no run asked for so long is likely to be one of a backup that nobody makes any more. */
const OLD_MS = 14 * 24 * 60 * 60 * 1000

export type HeldFacts = {
  readonly label: string
  readonly source: string
  readonly ageMs: number
  /** Of a run that has ended without releasing it. */
  readonly isAbandoned: boolean
  readonly isBase: boolean
  readonly heldBytes: number | null
  readonly roomBytes: number | null
}

/** What is held on this host; `failure` says why that cannot be told. */
export function checkHeldImages(
  held: readonly HeldFacts[],
  failure: string | null = null,
): readonly Finding[] {
  const name = 'held-images'
  if (failure !== null) {
    return [
      unknown(name, `What is held here cannot be told: ${failure}`, 'Run `icecore images list` as root'),
    ]
  }
  const troubles = held.flatMap((image): Finding[] => {
    if (image.isAbandoned) {
      const sentence = `${image.label} of ${image.source} is held for a run that was killed${costOf(image)}`
      return [warning(name, sentence, 'Run `icecore images list`, which releases it')]
    }
    if (!image.isBase || image.ageMs < OLD_MS) return []
    const sentence = `${image.label} of ${image.source} is held since ${formatDuration(image.ageMs)}${costOf(image)}`
    const advice = `Run \`icecore images release ${image.label}\`, if this volume is not backed up any more`
    return [warning(name, sentence, advice)]
  })
  return orWell(troubles, ok(name, `${countOf(held.length)} held here${sumOf(held)}`))
}

function countOf(count: number): string {
  if (count === 1) return 'One frozen image is'
  return count === 0 ? 'No frozen image is' : `${count} frozen images are`
}

function costOf({ heldBytes, roomBytes }: HeldFacts): string {
  const holds = heldBytes === null ? '' : `, and keeps ${formatByteSize(heldBytes)} from being freed`
  return roomBytes === null ? holds : `${holds}; ${formatByteSize(roomBytes)} are left`
}

function sumOf(held: readonly HeldFacts[]): string {
  const known = held.flatMap(({ heldBytes }) => heldBytes ?? [])
  const sum = known.reduce((total, bytes) => total + bytes, 0)
  if (sum === 0) return ''
  return `, ${formatByteSize(sum)} cannot be freed meanwhile`
}
