import { allocateAligned } from '../linux/aligned-memory.ts'
import { serveCalls } from '../linux/thread-calls.ts'
import { PackReader } from '../repository/pack-reader.ts'
import { DirectoryStore } from '../stores/directory/directory-store.ts'
import { LocalIndexLocator } from '../stores/local-index/local-index.ts'
import { chooseCodec } from './choose-codec.ts'
import { RestoreLane } from './restore-lane.ts'
import type { RestoreRequest, RestoreResult, RestoreSetUp } from './restore-messages.ts'
import { targetWriter } from './target-writer.ts'

/** What a thread does that restores. */
export function serveRestore(from: RestoreSetUp): void {
  const { config, keys } = from
  const store = new DirectoryStore(from.store.path, { writerId: from.store.writerId })
  const codec = chooseCodec({ idKey: keys?.idKey ?? null, level: null })
  const lane = new RestoreLane({
    packs: new PackReader({ store, sealing: { repositoryId: config.id, keys }, codec }),
    codec,
    index: new LocalIndexLocator(from.index),
    target: targetWriter(from.target),
    sizeBytes: from.sizeBytes,
    chunkSizeBytes: config.chunkSizeBytes,
    isBlank: from.isBlank,
    differing: from.differing,
    allocate: allocateAligned,
  })
  serveCalls<RestoreRequest, RestoreResult>(async (request) => {
    if (request.type === 'restore') return await lane.restore(request.job)
    await lane.drain()
    return null
  })
}
