import type { StoredPoint } from '../domain/recovery-point.ts'
import { listPoints, type DamagedPoint } from '../repository/points.ts'
import type { Repository } from '../repository/repository.ts'
import { selectSoundPoint } from '../repository/select-point.ts'
import type { BaseChoice } from './option-values.ts'

export type ChosenBase = {
  readonly base: StoredPoint | null
  /** Points that cannot be read: one of them may be the base that was meant. */
  readonly damaged: readonly DamagedPoint[]
}

/** The point to compare with: the latest of the lineage, unless the user names another. */
export async function chooseBase(
  repository: Repository,
  { choice, lineage }: { readonly choice: BaseChoice; readonly lineage: string },
): Promise<ChosenBase> {
  if (choice.kind === 'none') return { base: null, damaged: [] }
  const found = await listPoints(repository)
  if (choice.kind === 'point') return { base: selectSoundPoint(found, choice.reference), damaged: [] }
  const latest = found.points.findLast((stored) => stored.point.lineage === lineage)
  return { base: latest ?? null, damaged: found.damaged }
}
