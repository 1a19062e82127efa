import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import type { LvmVolume } from '../../domain/logical-volume.ts'
import type { HeldImage } from '../provider/held-image.ts'
import type { ProvidedImage } from '../provider/provided-image.ts'
import type { FreezeRequest, FrozenGroup, Provider } from '../provider/provider.ts'
import { freezeTogether } from './freeze-together.ts'
import { freezings, frozenVolumes, originsOf, type Freezing } from './frozen-volumes.ts'
import { foundAmong, heldVolumes, pathOf, releaseVolume, type HeldVolume } from './held-volumes.ts'
import { LiveGroup } from './live-group.ts'
import type { LvmTools } from './lvm-tools.ts'
import { requireWhole, SnapshotImage } from './snapshot-image.ts'
import { storeSizeFor } from './store-size.ts'
import type { LvmProviderParts } from './thin-provider.ts'
import { watchHeld } from './watch-held.ts'

const NAME = 'lvm'

export type ClassicProviderParts = LvmProviderParts & {
  /** How large a store is made, as a part of its origin; one that is a little larger than its origin never overflows. */
  readonly storeShare?: number
}

/** Freezes volumes by classic snapshots, which have a store of their own and slow every first write down. */
export function lvmProvider(parts: ClassicProviderParts): Provider {
  const { tools } = parts
  return {
    name: NAME,
    freeze: (request, signal) => freeze(parts, request, signal),
    held: async (signal) => (await heldHere(tools, signal)).map(({ held }) => held),
    release: (image, signal) => releaseVolume(tools, image, signal),
  }
}

async function heldHere(tools: LvmTools, signal: AbortSignal): Promise<readonly HeldVolume[]> {
  const volumes = await tools.listVolumes(signal)
  const held = await heldVolumes(NAME, volumes, (volume) => costOf(tools, volume, signal))
  return held.filter(({ volume }) => volume.isClassicSnapshot)
}

async function costOf(tools: LvmTools, volume: LvmVolume, signal: AbortSignal): Promise<HeldImage['cost']> {
  if (!volume.isClassicSnapshot) return { heldBytes: null, roomBytes: null }
  const { freeBytes } = await tools.readGroup(volume.groupUuid, signal)
  return { heldBytes: volume.sizeBytes, roomBytes: freeBytes }
}

async function freeze(
  parts: ClassicProviderParts,
  request: FreezeRequest,
  signal: AbortSignal,
): Promise<FrozenGroup> {
  const { tools, randomness } = parts
  const origins = await originsOf(tools, request.sources, await tools.listVolumes(signal))
  const sizes = new Map<LvmVolume, number>()
  for (const origin of origins) sizes.set(origin, await storeSizeOf(parts, { origin, origins }, signal))
  const wanted = freezings(origins, request, () => randomness.bytes(6).toHex())
  await using stack = new AsyncDisposableStack()
  const create = (one: Freezing): Promise<void> =>
    tools.createClassicSnapshot({ ...one, storeSizeBytes: sizes.get(one.origin) ?? 0 }, signal)
  // LVM resumes a volume when it has its snapshot; the others stand still until it is their turn.
  const how = { create, inWindow: create, beforeWindow: nothing, clock: parts.clock, signal }
  const window = await freezeTogether(tools, wanted, how)
  stack.defer(() => window.remove())
  await request.whenFrozen?.()
  const made = await heldHere(tools, signal)
  const images: (ProvidedImage & { readonly volume: LvmVolume })[] = []
  for (const one of wanted) images.push(await provided(tools, { one, made, stack }, signal))
  const held = stack.move()
  // One that overflowed is lost at once, and its reader need not go on for hours.
  const look = async (now: AbortSignal): Promise<void> => {
    for (const { held: image, volume } of images) requireWhole(image, await tools.snapshotStatus(volume, now))
  }
  return frozenVolumes({
    tools,
    images,
    watch: watchHeld({ look, giveUp: () => Promise.resolve() }),
    windowMs: window.windowMs,
    heldNow: (now) => heldHere(tools, now),
    close: async (isKept) => {
      if (isKept) window.handOver()
      await held.disposeAsync()
    },
  })
}

async function provided(
  tools: LvmTools,
  from: {
    readonly one: Freezing
    readonly made: readonly HeldVolume[]
    readonly stack: AsyncDisposableStack
  },
  signal: AbortSignal,
): Promise<ProvidedImage & { readonly volume: LvmVolume }> {
  const { held, volume } = foundAmong(from.made, from.one)
  const live = from.stack.use(await LiveGroup.open(tools, volume.groupUuid, signal))
  const snapshot = await SnapshotImage.open({ tools, live, held, volume }, signal)
  // Who looks into it on this host asks the kernel, which knows at every moment where the bytes are.
  const device = from.stack.use(await tools.openVolume(volume))
  return {
    held,
    volume,
    devices: live.devices,
    image: {
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
    },
    changesSince: null,
    identify: (now) => snapshot.identify(now),
  }
}

/** A group that several of the origins are in must have room for all of their stores. */
async function storeSizeOf(
  { tools, storeShare }: ClassicProviderParts,
  { origin, origins }: { readonly origin: LvmVolume; readonly origins: readonly LvmVolume[] },
  signal: AbortSignal,
): Promise<number> {
  if (origin.segmentType !== 'linear' && origin.segmentType !== 'striped') {
    throw unsuitable(origin, `it is ${origin.segmentType}`)
  }
  if (origin.isClassicSnapshot) throw unsuitable(origin, 'it is a snapshot itself')
  if (!origin.isActive) throw unsuitable(origin, 'it is not active')
  const group = await tools.readGroup(origin.groupUuid, signal)
  const before = origins.slice(0, origins.indexOf(origin)).filter((one) => one.groupUuid === origin.groupUuid)
  const taken = before.reduce(
    (sum, one) => sum + storeSizeFor(one, { ...group, freeBytes: Infinity }, storeShare),
    0,
  )
  return storeSizeFor(origin, { ...group, freeBytes: group.freeBytes - taken }, storeShare)
}

function nothing(): Promise<void> {
  return Promise.resolve()
}

function unsuitable(origin: LvmVolume, found: string): BackupError {
  const message = `Cannot freeze "${pathOf(origin)}" by a snapshot: ${found}, required is an active linear or striped volume`
  return new BackupError(ErrorCode.SourceUnsuitable, message, { data: { volume: pathOf(origin) } })
}
