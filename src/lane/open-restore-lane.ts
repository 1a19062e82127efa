import { allocateAligned } from '../linux/aligned-memory.ts'
import { PackReader } from '../repository/pack-reader.ts'
import { DirectoryStore } from '../stores/directory/directory-store.ts'
import { LocalIndexLocator } from '../stores/local-index/local-index.ts'
import { chooseCodec } from './choose-codec.ts'
import { RestoreLane } from './restore-lane.ts'
import type { RestoreWork } from './restore-messages.ts'
import type { TargetWriter } from './target-writer.ts'

/** A lane with a store and an index of its own, in whichever thread. */
export function restoreLane(work: RestoreWork, target: TargetWriter): RestoreLane {
  const { config, keys } = work
  const store = new DirectoryStore(work.store.path, { writerId: work.store.writerId })
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
