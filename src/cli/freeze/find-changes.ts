import type { ChangeList } from '../../capture/change-list.ts'
import { DegradedCode, type Degraded } from '../../domain/ledger.ts'
import type { StoredPoint } from '../../domain/recovery-point.ts'
import type { RangeStream } from '../../mover/backup-source.ts'
import type { NamedSource } from '../open-backup-sources.ts'
import { isFrozen, type FrozenSource } from './frozen-source.ts'

/** What is said to have changed since the base, by the names of the sources of which somebody says so. */
export type FoundChanges = {
  readonly bySource: ReadonlyMap<string, RangeStream>
  readonly degraded: readonly Degraded[]
}

/** The list that the user gave, or else what the provider or the server of each source knows. */
export async function findChanges(
  sources: readonly NamedSource[],
  known: { readonly list: ChangeList | null; readonly base: StoredPoint | null },
  signal: AbortSignal,
): Promise<FoundChanges> {
  const { list, base } = known
  const bySource = new Map<string, RangeStream>()
  const degraded: Degraded[] = []
  const [only] = sources
  if (list !== null && only !== undefined) bySource.set(only.name, () => list.ranges())
  for (const { name, local } of sources) {
    if (base === null || bySource.has(name)) continue
    // An object that the base has not is stored whole: what changed in it is nobody's claim.
    if (local.servedChanges !== undefined && hasVolume(base, name))
      bySource.set(name, await local.servedChanges(signal))
    if (!isFrozen(local)) continue
    const changes = await local.frozen.changesSince(base.id, signal)
    if (changes === 'lost') degraded.push(...lostImage(name, local, base))
    else if (changes !== null) bySource.set(name, changes)
  }
  return { bySource, degraded }
}

function hasVolume(base: StoredPoint, name: string): boolean {
  return base.point.objects.some((one) => one.name === name && one.kind === 'volume')
}

/** A base that was never read from an image of this provider has lost none. */
function lostImage(name: string, source: FrozenSource, base: StoredPoint): Degraded[] {
  const object = base.point.objects.find((one) => one.name === name)
  const { provider } = source.frozen.record
  if (object?.ledger.image?.provider !== provider) return []
  const message = `The frozen image of "${source.path}" that point ${base.id.slice(0, 12)} was read from is not held any more, or cannot be compared with: everything was compared, and the next run has a base again`
  return [{ code: DegradedCode.BaseImageLost, message }]
}
