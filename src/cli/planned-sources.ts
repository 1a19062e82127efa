import type { ChangeList } from '../capture/change-list.ts'
import type { Degraded } from '../domain/ledger.ts'
import type { StoredPoint } from '../domain/recovery-point.ts'
import type { SourceAddress } from '../lane/lane-messages.ts'
import type { BackupSource } from '../mover/backup-source.ts'
import { mapBase, mapSources, type MapParts } from './map-sources.ts'
import { backupSource, type OpenSources } from './open-backup-sources.ts'

/** What a run backs up: for the mover, and for the lanes that read it; both in the same order. */
export type PlannedSources = AsyncDisposable & {
  readonly sources: readonly BackupSource[]
  readonly addresses: readonly SourceAddress[]
  readonly degraded: readonly Degraded[]
}

/** The volumes, less what is proven free on them. */
export async function planVolumes(
  parts: MapParts,
  opened: OpenSources,
  how: {
    readonly changes: ChangeList | null
    readonly base: StoredPoint | null
    readonly whole: boolean
    readonly allowMounted: boolean
  },
): Promise<PlannedSources> {
  const { changes, base } = how
  const free = how.whole ? null : await mapSources(parts, opened.sources)
  const baseData = changes === null || base === null ? null : await mapBase(parts, base)
  return {
    sources: opened.sources.map((source) =>
      backupSource(
        source,
        { changes, free: free?.get(source.name) ?? null, baseData: baseData?.get(source.name) ?? null },
        how.allowMounted,
      ),
    ),
    addresses: opened.sources.map(({ local: { realPath: path, fd, sizeBytes, direct } }) => ({
      path,
      fd,
      sizeBytes,
      direct,
    })),
    degraded: opened.degraded,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}
