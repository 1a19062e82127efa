import type { FrozenImage } from '../../domain/frozen-image.ts'
import type { LvmVolume } from '../../domain/logical-volume.ts'
import type { HeldImage } from '../provider/held-image.ts'
import type { Provider } from '../provider/provider.ts'
import { askOnce } from './ask-once.ts'
import { freezeTogether } from './freeze-together.ts'
import type { Freezing, FrozenVolume } from './frozen-volumes.ts'
import { heldVolumes, type HeldVolume } from './held-volumes.ts'
import type { LiveGroups } from './live-groups.ts'
import type { EmptySnapshot, LvmTools, OpenDisk } from './lvm-tools.ts'
import { requireWhole, SnapshotImage } from './snapshot-image.ts'
import {
  snapshotProvider,
  type FreezeMoment,
  type LvmProviderParts,
  type OpenDisks,
  type RoomOfGroup,
  type SnapshotPlan,
  type ToFreeze,
} from './snapshot-provider.ts'
import { storeSizes } from './store-size.ts'
import { watchHeld } from './watch-held.ts'

const NAME = 'lvm'

export type ClassicProviderParts = LvmProviderParts & {
  /** How large a store is made, as a part of its origin; one that is a little larger than its origin never overflows. */
  readonly storeShare?: number
}

/** Freezes volumes by classic snapshots, which have a store of their own and slow every first write down. */
export function lvmProvider(parts: ClassicProviderParts): Provider {
  const { tools } = parts
  return snapshotProvider(parts, {
    name: NAME,
    heldAmong,
    plan: (what, signal) => plan(parts, what, signal),
    open: (made, disks, signal) => open(tools, { made, ...disks }, signal),
  })
}

async function heldAmong(
  volumes: readonly LvmVolume[],
  roomOf: RoomOfGroup,
  signal: AbortSignal,
): Promise<readonly HeldVolume[]> {
  const groupOf = askOnce(
    ({ groupUuid }: LvmVolume) => groupUuid,
    (volume) => roomOf(volume.groupUuid, signal),
  )
  const costOf = async (volume: LvmVolume): Promise<HeldImage['cost']> =>
    volume.isClassicSnapshot
      ? { heldBytes: volume.sizeBytes, roomBytes: (await groupOf(volume)).freeBytes }
      : { heldBytes: null, roomBytes: null }
  const held = await heldVolumes(NAME, volumes, costOf)
  return held.filter(({ volume }) => volume.isClassicSnapshot)
}

async function plan(
  { tools, storeShare }: ClassicProviderParts,
  { origins, groups }: ToFreeze,
  signal: AbortSignal,
): Promise<SnapshotPlan> {
  const roomOf = (uuid: string, now: AbortSignal): ReturnType<LiveGroups['room']> => groups.room(uuid, now)
  const sizes = await storeSizes({ roomOf, storeShare }, origins, signal)
  return {
    make: (wanted, how) => make(tools, { wanted, sizes }, how),
    watch: (_window, made) =>
      watchHeld({
        // One that overflowed is lost at once, and its reader need not go on for hours.
        look: async (now) => {
          for (const { held, volume } of made) requireWhole(held, await tools.snapshotStatus(volume, now))
        },
        giveUp: nothing,
      }),
  }
}

async function make(
  tools: LvmTools,
  { wanted, sizes }: { readonly wanted: readonly Freezing[]; readonly sizes: ReadonlyMap<LvmVolume, number> },
  how: FreezeMoment,
): ReturnType<SnapshotPlan['make']> {
  const create = (one: Freezing): Promise<void> =>
    tools.createClassicSnapshot({ ...one, storeSizeBytes: sizes.get(one.origin) ?? 0 }, how.signal)
  const prepare = (made: LvmVolume): Promise<EmptySnapshot> => tools.emptySnapshot(made, how.signal)
  return await freezeTogether(tools, wanted, { ...how, create, prepare })
}

async function open(
  tools: LvmTools,
  { made, live, stack }: OpenDisks & { readonly made: HeldVolume },
  signal: AbortSignal,
): Promise<FrozenVolume> {
  const { held, volume } = made
  const snapshot = await SnapshotImage.open({ tools, live, held, volume }, signal)
  // Who looks into it on this host asks the kernel, which knows at every moment where the bytes are.
  const device = stack.use(await tools.openVolume(volume))
  return {
    held,
    volume,
    baseTags: () => [],
    devices: live.devices,
    image: imageOf(tools, { made, snapshot, device }),
    changesSince: null,
    identify: (now) => snapshot.identify(now),
  }
}

function imageOf(
  tools: LvmTools,
  {
    made: { held, volume },
    snapshot,
    device,
  }: { readonly made: HeldVolume; readonly snapshot: SnapshotImage; readonly device: OpenDisk },
): FrozenImage {
  return {
    sizeBytes: snapshot.map.sizeBytes,
    sectorSizeBytes: device.image.sectorSizeBytes,
    extents: async function* extents(range, now) {
      now.throwIfAborted()
      yield* await Promise.resolve(snapshot.map.extents(range))
    },
    readInto: async (target, offset) => {
      try {
        await device.image.readInto(target, offset)
      } catch (error) {
        // One that overflowed reports nothing but I/O errors.
        requireWhole(held, await tools.snapshotStatus(volume, new AbortController().signal))
        throw error
      }
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

function nothing(): Promise<void> {
  return Promise.resolve()
}
