import type { Degraded } from '../domain/ledger.ts'
import type { SourceAddress } from '../lane/lane-messages.ts'
import type { ProvenFree } from '../capture/proven-free.ts'
import type { BackupSource, RangeStream } from '../mover/backup-source.ts'
import type { LeftOut } from '../stores/left-out/left-out-format.ts'
import type { BaseLook } from './base-look.ts'
import type { MapParts } from './map-sources.ts'
import { backupSource, type OpenSources } from './open-backup-sources.ts'

/** What a run backs up: for the mover, and for the lanes that read it; both in the same order. */
export type PlannedSources = AsyncDisposable & {
  readonly sources: readonly BackupSource[]
  readonly addresses: readonly SourceAddress[]
  readonly degraded: readonly Degraded[]
  /** What is proven free on them, by their names: it is not read. */
  readonly leftOut: LeftOut
}

/** The volumes, less what is proven free on them. */
export async function planVolumes(
  parts: MapParts,
  opened: OpenSources,
  how: {
    /** By the names of the sources. */
    readonly changes: ReadonlyMap<string, RangeStream>
    readonly baseLook: BaseLook
    readonly whole: boolean
    readonly allowMounted: boolean
  },
): Promise<PlannedSources> {
  const { changes, baseLook } = how
  const free = how.whole ? null : await freeOf(parts, opened)
  const baseData = changes.size === 0 ? null : await baseLook.find(parts)
  return {
    sources: opened.sources.map((source) =>
      backupSource(
        source,
        {
          changes: changes.get(source.name) ?? null,
          free: free?.get(source.name) ?? null,
          baseData: baseData?.get(source.name) ?? null,
        },
        how.allowMounted,
      ),
    ),
    addresses: opened.sources.map(({ local }) => local.address),
    degraded: opened.degraded,
    leftOut: new Map(free?.entries().map(([name, { ranges }]) => [name, ranges])),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

/** The readers of formats are half of the program, and are loaded only when something is to be read. */
async function freeOf(parts: MapParts, opened: OpenSources): Promise<ReadonlyMap<string, ProvenFree>> {
  const { mapSources } = await import('./map-sources.ts')
  return await mapSources(parts, opened.sources)
}
