import type { Clock } from '../../domain/clock.ts'
import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import type { Randomness } from '../../domain/randomness.ts'
import type { HeldImage } from '../provider/held-image.ts'
import type { ProvidedImage } from '../provider/provided-image.ts'
import type { FreezeRequest, FrozenGroup, Provider } from '../provider/provider.ts'
import { freezeThinTogether } from './freeze-thin-together.ts'
import { freezings, frozenVolumes, originsOf } from './frozen-volumes.ts'
import { foundAmong, heldVolumes, pathOf, releaseVolume, type HeldVolume } from './held-volumes.ts'
import { LiveGroup } from './live-group.ts'
import type { LvmTools } from './lvm-tools.ts'
import type { LvmVolume } from '../../domain/logical-volume.ts'
import type { PoolName } from './metadata-snapshot.ts'
import { expectedChangeBytes, observedChange } from './observed-change.ts'
import { requireRoomInPool } from './pool-budget.ts'
import { watchPools } from './pool-watch.ts'
import { ThinImage } from './thin-image.ts'

const NAME = 'lvm-thin'

export type LvmProviderParts = {
  readonly tools: LvmTools
  readonly randomness: Randomness
  readonly clock: Clock
}

/** Freezes thin volumes by snapshots in their pool, which cost nothing until the volume is written. */
export function lvmThinProvider(parts: LvmProviderParts): Provider {
  const { tools } = parts
  return {
    name: NAME,
    freeze: (request, signal) => freeze(parts, request, signal),
    held: async (signal) => (await heldHere(tools, signal)).map(({ held }) => held),
    release: (image, signal) => releaseVolume(tools, image, signal),
  }
}

async function heldHere(tools: LvmTools, signal: AbortSignal): Promise<readonly HeldVolume[]> {
  const volumes = (await tools.listVolumes(signal)).filter((volume) => !volume.isClassicSnapshot)
  return await heldVolumes(NAME, volumes, (volume) => costOf(tools, volume, signal))
}

/** What only the snapshot keeps is not known without a walk of its tree: the pool's room is. */
async function costOf(tools: LvmTools, volume: LvmVolume, signal: AbortSignal): Promise<HeldImage['cost']> {
  const pool = poolOf(volume)
  if (pool === null) return { heldBytes: null, roomBytes: null }
  try {
    const status = await tools.poolStatus(pool, signal)
    const freeShare = 1 - status.dataUsedBlocks / status.dataTotalBlocks
    return { heldBytes: null, roomBytes: Math.floor(freeShare * status.dataSizeBytes) }
  } catch (error) {
    if (!(error instanceof BackupError)) throw error
    return { heldBytes: null, roomBytes: null } // A pool that is not active is held all the same.
  }
}

async function freeze(
  parts: LvmProviderParts,
  request: FreezeRequest,
  signal: AbortSignal,
): Promise<FrozenGroup> {
  const { tools, randomness } = parts
  const origins = await originsOf(tools, request.sources, await tools.listVolumes(signal))
  const pools = await requireFreezable(parts, { origins, lineageKey: request.lineageKey }, signal)
  const wanted = freezings(origins, request, () => randomness.bytes(6).toHex())
  await using stack = new AsyncDisposableStack()
  const window = await freezeThinTogether(tools, wanted, { clock: parts.clock, signal })
  stack.defer(() => window.remove())
  // From now on: what comes before the first read may take long.
  const watch = stack.use(watchPools(tools, pools, { removeSnapshots: () => window.remove() }))
  const whileHeld = AbortSignal.any([signal, watch.lost])
  await request.whenFrozen?.()
  whileHeld.throwIfAborted()
  const made = await heldHere(tools, whileHeld)
  const images: (ProvidedImage & { readonly volume: LvmVolume })[] = []
  for (const one of wanted) {
    const live = stack.use(await LiveGroup.open(tools, one.origin.groupUuid, whileHeld))
    images.push(await provided(tools, { live, found: foundAmong(made, one) }, whileHeld))
  }
  const held = stack.move()
  return frozenVolumes({
    tools,
    images,
    watch,
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
  { live, found }: { readonly live: LiveGroup; readonly found: HeldVolume },
  signal: AbortSignal,
): Promise<ProvidedImage & { readonly volume: LvmVolume }> {
  const { held, volume } = found
  const pool = poolOf(volume)
  if (pool === null)
    throw new BackupError(ErrorCode.FreezeFailed, `"${held.label}" came into being outside a pool`)
  const thin = await ThinImage.open({ tools, live, pool, held }, signal)
  return {
    held,
    volume,
    devices: live.devices,
    image: thin.map.image(live.images),
    changesSince: (base, now) => thin.changesSince(base, now),
    identify: (now) => thin.identify(now),
  }
}

/** The pools of the volumes, which have room for all of them together. Throws what is in the way. */
async function requireFreezable(
  parts: LvmProviderParts,
  what: { readonly origins: readonly LvmVolume[]; readonly lineageKey: string },
  signal: AbortSignal,
): Promise<readonly PoolName[]> {
  const { tools } = parts
  const pools = what.origins.map((origin) => {
    const pool = poolOf(origin)
    if (origin.segmentType === 'thin' && pool !== null) return { origin, pool }
    const message = `Cannot freeze "${pathOf(origin)}" by a thin snapshot: it is ${origin.segmentType}, required is a thin volume`
    throw new BackupError(ErrorCode.SourceUnsuitable, message, { data: { volume: pathOf(origin) } })
  })
  const expected = new Map<string, { readonly pool: PoolName; changedBytes: number; volumeBytes: number }>()
  const bases = (await heldHere(tools, signal)).filter(({ held }) => {
    return held.use.kind === 'base' && held.lineageKey === what.lineageKey
  })
  for (const { origin, pool } of pools) {
    const key = `${pool.groupUuid}/${pool.poolName}`
    const sum = expected.get(key) ?? { pool, changedBytes: 0, volumeBytes: 0 }
    sum.volumeBytes += origin.sizeBytes
    const base = bases.find(({ volume }) => volume.originUuid === origin.uuid)?.held
    if (base !== undefined) {
      sum.changedBytes += expectedChangeBytes(await observedChange(parts, { origin, pool, base }, signal))
    }
    expected.set(key, sum)
  }
  for (const { pool, ...change } of expected.values()) {
    requireRoomInPool(pool, await tools.poolStatus(pool, signal), change)
  }
  return [...expected.values()].map(({ pool }) => pool)
}

function poolOf({ groupName, groupUuid, poolName }: LvmVolume): PoolName | null {
  return poolName === null ? null : { groupName, groupUuid, poolName }
}
