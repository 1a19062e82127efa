import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import type { LvmVolume } from '../../domain/logical-volume.ts'
import type { Provider } from '../provider/provider.ts'
import { askOnce } from './ask-once.ts'
import { emptyThinSnapshot } from './empty-thin-snapshot.ts'
import { freezeTogether } from './freeze-together.ts'
import type { FrozenVolume } from './frozen-volumes.ts'
import { mappingMarkTag } from './held-tags.ts'
import { heldVolumes, pathOf, type HeldVolume } from './held-volumes.ts'
import { KnownThinMaps } from './known-thin-maps.ts'
import type { LvmTools } from './lvm-tools.ts'
import type { PoolName } from './metadata-snapshot.ts'
import { expectedChangeBytes, observedChange } from './observed-change.ts'
import { requireRoomInPool } from './pool-budget.ts'
import { watchPools } from './pool-watch.ts'
import {
  snapshotProvider,
  type LvmProviderParts,
  type OpenDisks,
  type SnapshotPlan,
  type ToFreeze,
} from './snapshot-provider.ts'
import { ThinImage } from './thin-image.ts'

const NAME = 'lvm-thin'

/** Of this process: an agent freezes the same volumes again and again. */
const knownMaps = new KnownThinMaps()

/** Freezes thin volumes by snapshots in their pool, which cost nothing until the volume is written. */
export function lvmThinProvider(parts: LvmProviderParts): Provider {
  const { tools } = parts
  return snapshotProvider(parts, {
    name: NAME,
    heldAmong: (volumes, _roomOf, signal) => heldAmong(tools, volumes, signal),
    plan: (what, signal) => plan(parts, what, signal),
    open: (made, { live, before }, signal) => open(tools, { live, made, before }, signal),
  })
}

async function heldAmong(
  tools: LvmTools,
  volumes: readonly LvmVolume[],
  signal: AbortSignal,
): Promise<readonly HeldVolume[]> {
  const own = volumes.filter((volume) => !volume.isClassicSnapshot)
  const roomOf = askOnce(keyOf, (pool) => roomIn(tools, pool, signal))
  return await heldVolumes(NAME, own, async (volume) => {
    const pool = poolOf(volume)
    // What only the snapshot keeps is not known without a walk of its tree: the pool's room is.
    return { heldBytes: null, roomBytes: pool === null ? null : await roomOf(pool) }
  })
}

async function roomIn(tools: LvmTools, pool: PoolName, signal: AbortSignal): Promise<number | null> {
  try {
    const status = await tools.poolStatus(pool, signal)
    const freeShare = 1 - status.dataUsedBlocks / status.dataTotalBlocks
    return Math.floor(freeShare * status.dataSizeBytes)
  } catch (error) {
    if (!(error instanceof BackupError)) throw error
    return null // A pool that is not active is held all the same.
  }
}

async function plan(parts: LvmProviderParts, what: ToFreeze, signal: AbortSignal): Promise<SnapshotPlan> {
  const { tools } = parts
  const pools = await requireFreezable(parts, what, signal)
  return {
    make: (wanted, how) =>
      freezeTogether(tools, wanted, {
        ...how,
        create: (one) => tools.createThinSnapshot(one, how.signal),
        prepare: (made, origin) => emptyThinSnapshot(tools, { made, origin }, how.signal),
      }),
    watch: (window) => watchPools(tools, pools, { removeSnapshots: () => window.remove() }),
  }
}

async function open(
  tools: LvmTools,
  { live, made, before }: Pick<OpenDisks, 'live' | 'before'> & { readonly made: HeldVolume },
  signal: AbortSignal,
): Promise<FrozenVolume> {
  const { held, volume } = made
  const pool = poolOf(volume)
  if (pool === null)
    throw new BackupError(ErrorCode.FreezeFailed, `"${held.label}" came into being outside a pool`)
  const heldBefore = before.map((one) => one.held).filter(({ source }) => source === held.source)
  const thin = await ThinImage.open({ tools, live, pool, held, heldBefore, known: knownMaps }, signal)
  return {
    held,
    volume,
    devices: live.devices,
    baseTags: () => [mappingMarkTag(thin.baseMark)],
    image: thin.map.image(live.images),
    changesSince: (base, now) => thin.changesSince(base, now),
    identify: (now) => thin.identify(now),
  }
}

/** The pools of the volumes, which have room for all of them together. Throws what is in the way. */
async function requireFreezable(
  { tools, clock }: LvmProviderParts,
  { origins, request, groups, before }: ToFreeze,
  signal: AbortSignal,
): Promise<readonly PoolName[]> {
  const pools = origins.map((origin) => {
    const pool = poolOf(origin)
    if (origin.segmentType === 'thin' && pool !== null) return { origin, pool }
    const message = `Cannot freeze "${pathOf(origin)}" by a thin snapshot: it is ${origin.segmentType}, required is a thin volume`
    throw new BackupError(ErrorCode.SourceUnsuitable, message, { data: { volume: pathOf(origin) } })
  })
  const expected = new Map<string, { readonly pool: PoolName; changedBytes: number; volumeBytes: number }>()
  const bases = before.filter(({ held }) => {
    return held.use.kind === 'base' && held.lineageKey === request.lineageKey
  })
  for (const { origin, pool } of pools) {
    const key = keyOf(pool)
    const sum = expected.get(key) ?? { pool, changedBytes: 0, volumeBytes: 0 }
    sum.volumeBytes += origin.sizeBytes
    const base = bases.find(({ volume }) => volume.originUuid === origin.uuid)?.held
    if (base !== undefined) {
      const observed = await observedChange({ tools, clock, groups }, { origin, pool, base }, signal)
      sum.changedBytes += expectedChangeBytes(observed)
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

function keyOf({ groupUuid, poolName }: PoolName): string {
  return `${groupUuid}/${poolName}`
}
