import type { Points } from '../points.ts'
import type { CondemnedLists } from '../condemned.ts'
import type { Damage, Damages } from './damages.ts'
import { CheckCode, type Problem } from './problem.ts'
import type { FoundIndex } from './read-check-index.ts'

const BACK_UP_AGAIN =
  'Back the sources up again with --full-read: what they still hold of it is stored anew, and points that share it heal'
const ADVICE: Readonly<Record<CheckCode, string>> = {
  [CheckCode.PackMissing]: BACK_UP_AGAIN,
  [CheckCode.PackDamaged]: BACK_UP_AGAIN,
  [CheckCode.ChunkDamaged]: BACK_UP_AGAIN,
  [CheckCode.ChunkMissing]: BACK_UP_AGAIN,
  [CheckCode.NodeDamaged]: BACK_UP_AGAIN,
  [CheckCode.NodeMissing]: BACK_UP_AGAIN,
  [CheckCode.SegmentDamaged]:
    'No data is lost by it, the packs themselves say what they hold: delete the file, and the next backup writes it anew',
  [CheckCode.IndexIncomplete]:
    'No data is lost by it, the packs themselves say what they hold: the next backup writes the index anew',
  [CheckCode.IndexWrong]: BACK_UP_AGAIN,
  [CheckCode.PointDamaged]:
    'It cannot be restored: forget it, and back its source up again, which finds most of its chunks stored',
  [CheckCode.CondemnedDamaged]:
    'Delete the file; packs that it fenced off and that are damaged are found and fenced off again by this check',
}

/** Everything that is wrong, worst first; and what was wrong and hurts nobody any more. */
export function findProblems(from: {
  damages: Damages
  found: FoundIndex
  points: Points
  condemned: CondemnedLists
}): { problems: Problem[]; notes: string[] } {
  const { found, points, condemned } = from
  const { harmless, hurting } = sortOut(from)
  const notes = harmless.map((damage) => noteOf(damage, condemned))
  hurting.sort((a, b) => b.lostBy.size - a.lostBy.size || a.number - b.number)
  const problems = [
    ...points.damaged.map((point) => problemOfPoint(point)),
    ...hurting.map(problemOfPack),
    ...found.damagedSegments.map(({ name, reason }) =>
      plain(CheckCode.SegmentDamaged, `Index segment "${name}" is damaged: ${reason}`),
    ),
    ...indexIncomplete(found),
    ...condemned.damaged.map(({ name, reason }) =>
      plain(CheckCode.CondemnedDamaged, `List of condemned packs "${name}" is damaged: ${reason}`),
    ),
  ]
  return { problems, notes }
}

/**
 * Damage that hurts no point is no problem any more when the pack is fenced off, and never was one when a killed
 * run left it: no segment names it, and nothing that a point needs is missing.
 */
function sortOut(from: { damages: Damages; found: FoundIndex; condemned: CondemnedLists }): {
  harmless: Damage[]
  hurting: Damage[]
} {
  const { damages, found, condemned } = from
  const isMissingAny = damages.all.some(
    ({ code }) => code === CheckCode.ChunkMissing || code === CheckCode.NodeMissing,
  )
  const isHarmless = ({ packId, lostBy, neededBy }: Damage): boolean => {
    if (packId === null || lostBy.size + neededBy.size > 0) return false
    return condemned.packIds.has(packId) || (!isMissingAny && found.leftOver.has(packId))
  }
  const byHarm = Map.groupBy(damages.all, isHarmless)
  return { harmless: byHarm.get(true) ?? [], hurting: byHarm.get(false) ?? [] }
}

function noteOf({ packId, code }: Damage, condemned: CondemnedLists): string {
  const state = code === CheckCode.PackMissing ? 'missing' : 'damaged'
  const why = condemned.packIds.has(packId ?? '') ? 'it is fenced off' : 'a run that was killed left it'
  return `Pack ${packId} is ${state}, but ${why} and no point needs it`
}

export function plain(code: CheckCode, message: string): Problem {
  return { code, message, points: [], lostCount: 0, advice: ADVICE[code] }
}

export function problemOfPoint(point: { readonly id: string; readonly reason: string }): Problem {
  const message = `Point ${point.id} is damaged: ${point.reason}`
  return { ...plain(CheckCode.PointDamaged, message), points: [point.id] }
}

/** What is wrong with what points refer to. */
function problemOfPack(damage: Damage): Problem {
  const { code, lostCount } = damage
  const points = [...(damage.lostBy.size > 0 ? damage.lostBy : damage.neededBy)]
  return { code, message: sentenceOf(damage), points, lostCount, advice: ADVICE[code] }
}

/** The same where there is no key: whether anything is lost, and for which points, is not known. */
export function problemWithoutKey(damage: Damage): Problem {
  const message = `Pack ${damage.packId ?? ''} is damaged: ${damage.reason}`
  const advice = 'Check it again with the key: that names the points that it hurts, and fences it off'
  return { ...plain(damage.code, message), advice }
}

function sentenceOf(damage: Damage): string {
  const { packId, reason, lostCount } = damage
  const lost =
    lostCount > 0
      ? `${lostCount} of its chunks and nodes cannot be read`
      : 'every chunk in it can still be read'
  switch (damage.code) {
    case CheckCode.PackMissing:
      return `Pack ${packId ?? ''} is missing: ${reason}; ${lostCount} chunks and nodes were in it`
    case CheckCode.ChunkMissing:
      return `Chunks are missing at ${lostCount} places of the trees: ${reason}`
    case CheckCode.NodeMissing:
      return `Tree nodes are missing, ${lostCount} of them: ${reason}`
    case CheckCode.NodeDamaged:
      return `A tree node is damaged: ${reason}`
    default:
      return `Pack ${packId ?? ''} is damaged: ${reason}; ${lost}`
  }
}

function indexIncomplete(found: FoundIndex): Problem[] {
  if (found.unexplainedCount === 0) return []
  const message = `The index is incomplete: ${found.unexplainedCount} packs are named by no sound segment`
  return [plain(CheckCode.IndexIncomplete, message)]
}
