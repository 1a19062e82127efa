import { allocateAligned } from '../linux/aligned-memory.ts'
import { serveCalls } from '../linux/thread-calls.ts'
import type { PackFindings } from '../repository/check/pack-findings.ts'
import { DirectoryStore } from '../stores/directory/directory-store.ts'
import { CheckLane } from './check-lane.ts'
import { chooseCodec } from './choose-codec.ts'
import type { CheckRequest, CheckSetUp } from './check-messages.ts'

/** In a lane's thread: verifies the packs that it is asked to. */
export function serveCheck(setUp: CheckSetUp): void {
  const { config, keys, namesOnly } = setUp
  const lane = new CheckLane({
    store: new DirectoryStore(setUp.store.path, { writerId: setUp.store.writerId }),
    sealing: namesOnly ? null : { repositoryId: config.id, keys },
    codec: chooseCodec({ idKey: keys?.idKey ?? null, level: null }),
    chunkSizeBytes: config.chunkSizeBytes,
    packSizeBytes: config.packSizeBytes,
    allocate: allocateAligned,
  })
  serveCalls<CheckRequest, PackFindings>(({ packId }) => lane.check(packId))
}
