import { allocateAligned } from '../linux/aligned-memory.ts'
import { PackReader } from '../repository/pack-reader.ts'
import type { Store } from '../repository/store.ts'
import { LocalIndexLocator } from '../stores/local-index/local-index.ts'
import { chooseCodec } from './choose-codec.ts'
import { RestoreLane } from './restore-lane.ts'
import type { RestoreWork } from './restore-messages.ts'
import type { TargetWriter } from './target-writer.ts'

/** A lane with an index of its own, in whichever thread; it borrows the store. */
export function restoreLane(
  work: RestoreWork,
  { store, target }: { readonly store: Store; readonly target: TargetWriter },
): RestoreLane {
  const { config, keys } = work
  const codec = chooseCodec({ idKey: keys?.idKey ?? null, level: null })
  return new RestoreLane({
    packs: new PackReader({ store, sealing: { repositoryId: config.id, keys }, codec }),
    codec,
    index: new LocalIndexLocator(work.index),
    target,
    sizeBytes: work.sizeBytes,
    chunkSizeBytes: config.chunkSizeBytes,
    isBlank: work.isBlank,
    differing: work.differing,
    allocate: allocateAligned,
  })
}
