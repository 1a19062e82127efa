import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import type { FreezeRequest, FrozenGroup } from '../provider/provider.ts'
import type { ProvidedImage } from '../provider/provided-image.ts'
import { encodeHeldTags, useTags } from './held-tags.ts'
import type { HeldVolume } from './held-volumes.ts'
import type { LvmTools } from './lvm-tools.ts'
import type { HeldWatch } from './watch-held.ts'
import type { LvmVolume, VolumeId } from '../../domain/logical-volume.ts'

/** A volume to freeze, and how its snapshot will be called. */
export type Freezing = {
  readonly origin: LvmVolume
  readonly name: string
  readonly tags: readonly string[]
}

/** A path that somebody wants frozen, and the volume that it leads to; null for what is none. */
export type Source = { readonly path: string; readonly id: VolumeId | null }

/** The volumes that the sources lead to. Throws SOURCE_UNSUITABLE for what is none, or comes twice. */
export function originsOf(sources: readonly Source[], volumes: readonly LvmVolume[]): readonly LvmVolume[] {
  const origins: LvmVolume[] = []
  for (const { path, id } of sources) {
    const volume = volumes.find(({ uuid }) => uuid === id?.uuid)
    if (volume === undefined) {
      const message = `Cannot freeze "${path}": it is no logical volume, required is one such as /dev/vg0/home`
      throw new BackupError(ErrorCode.SourceUnsuitable, message, { data: { path } })
    }
    if (origins.includes(volume)) {
      const message = `Cannot freeze "${path}": it is given twice, required are different volumes`
      throw new BackupError(ErrorCode.SourceUnsuitable, message, { data: { path } })
    }
    origins.push(volume)
  }
  return origins
}

/** Names and tags of the snapshots to make; `randomHex` tells them from those of other runs. */
export function freezings(
  origins: readonly LvmVolume[],
  request: FreezeRequest,
  randomHex: () => string,
): readonly Freezing[] {
  const { leaseEndsAtMs, owner } = request
  const use = { kind: 'run', leaseEndsAtMs, owner } as const
  return origins.map((origin) => ({
    origin,
    name: `icecore-${randomHex()}`,
    tags: encodeHeldTags({ lineageKey: request.lineageKey, sourceUuid: origin.uuid, use }),
  }))
}

/** The snapshot that was just made. Throws FREEZE_FAILED when somebody removed it already. */
export function madeAmong<One>(
  all: readonly One[],
  volumeOf: (one: One) => LvmVolume,
  { name, origin }: Freezing,
): One {
  const made = all.find((one) => {
    const volume = volumeOf(one)
    return volume.name === name && volume.groupUuid === origin.groupUuid
  })
  if (made !== undefined) return made
  const message = `Cannot find snapshot "${origin.groupName}/${name}" that was just made: somebody removed it`
  throw new BackupError(ErrorCode.FreezeFailed, message)
}

/** A snapshot that can be read. */
export type FrozenVolume = ProvidedImage & {
  readonly volume: LvmVolume
  /** What it is tagged with beside, when it is kept. */
  readonly baseTags: () => readonly string[]
}

export type FrozenVolumesParts = {
  readonly tools: LvmTools
  readonly images: readonly FrozenVolume[]
  readonly windowMs: number
  /** What the provider holds, asked anew. */
  readonly heldNow: (signal: AbortSignal) => Promise<readonly HeldVolume[]>
  /** Looks whether they can go on being held. */
  readonly watch: HeldWatch
  /** Closes the disks, and removes the snapshots unless they are kept. */
  readonly close: (isKept: boolean) => Promise<void>
}

/** The snapshots of one freeze, as the interface wants them. */
export function frozenVolumes(parts: FrozenVolumesParts): FrozenGroup {
  const { tools } = parts
  let { images } = parts
  let isKept = false
  return {
    get images() {
      return images
    },
    windowMs: parts.windowMs,
    degraded: [],
    lost: parts.watch.lost,
    async keep(pointId, signal) {
      await parts.watch[Symbol.asyncDispose]()
      signal.throwIfAborted()
      parts.watch.lost.throwIfAborted()
      if (images.every(({ changesSince }) => changesSince === null)) return
      const before = await parts.heldNow(signal)
      const use = { kind: 'base', pointId } as const
      for (const { held, volume, baseTags } of images) {
        const change = { add: [...useTags(use), ...baseTags()], remove: useTags(held.use) }
        await tools.changeTags(volume, change, signal)
      }
      isKept = true
      images = images.map((image) => ({ ...image, held: { ...image.held, use } }))
      const replaced = before.filter((one) => isReplaced(one, images))
      await tools.removeVolumes(
        replaced.map(({ volume }) => volume),
        signal,
      )
    },
    [Symbol.asyncDispose]: async () => {
      await parts.watch[Symbol.asyncDispose]()
      await parts.close(isKept)
    },
  }
}

/** A base of an earlier point of the lineage: no later run will ask for it, also when its volume is gone. */
function isReplaced({ held }: HeldVolume, images: FrozenVolumesParts['images']): boolean {
  const isNew = images.some((image) => image.held.id === held.id)
  return (
    held.use.kind === 'base' && !isNew && images.some((image) => image.held.lineageKey === held.lineageKey)
  )
}
