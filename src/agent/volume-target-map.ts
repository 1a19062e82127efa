import { createHash } from 'node:crypto'
import { basename, join } from 'node:path'
import { volumeOf, type LiveGroup } from '../capture/lvm/live-group.ts'
import { LiveGroups } from '../capture/lvm/live-groups.ts'
import type { LvmTools } from '../capture/lvm/lvm-tools.ts'
import { BackupError, ErrorCode, isBackupError } from '../domain/backup-error.ts'
import type { DeviceIdentity } from '../domain/device-identity.ts'
import type { Extent, ExtentBatch } from '../domain/extent.ts'
import type { Range } from '../domain/range.ts'
import type { LvmVolume } from '../domain/logical-volume.ts'
import { ExtentTable } from '../extents/extent-table.ts'
import { inBatches } from '../extents/in-batches.ts'
import { FormatError, UnmappedError } from '../formats/format-error.ts'
import { openLogicalVolume } from '../formats/lvm2/logical-volume-extents.ts'
import { isSoleUser } from '../formats/lvm2/sole-use.ts'
import { volumeContent } from '../formats/lvm2/volume-content.ts'
import type { StackGroup } from '../formats/volume-stack/volume.ts'
import { groupLockFolder, holdGroup } from '../linux/lvm/group-lock.ts'
import { deviceNumberAt } from '../linux/disk-statistics.ts'
import { blockFolderOf, listSysfs } from '../linux/sysfs.ts'
import { syscalls } from '../linux/syscalls.ts'
import { placeDevices, type PlacedDevices } from './placed-devices.ts'
import type { PlacedTarget, TargetMap } from './target-map.ts'

/** A volume in more pieces than that is written through its host. */
const EXTENTS_MAX = 1_000_000

type Parts = {
  readonly path: string
  /** Of the device; the volume may grow meanwhile. */
  readonly sizeBytes: number
  readonly volume: LvmVolume
  readonly lockFolder: string
  readonly groups: LiveGroups
  readonly live: LiveGroup
  readonly placed: PlacedDevices
}

/**
 * The map of a linear or striped logical volume. Null for what lies otherwise, is seen through something else too (the
 * origin of a snapshot), or cannot be held still: that can be written through this host only.
 */
export async function openVolumeTargetMap(
  tools: LvmTools,
  target: { readonly path: string; readonly sizeBytes: number },
  signal: AbortSignal,
): Promise<TargetMap | null> {
  const id = await tools.volumeIdAt(target.path)
  if (id === null) return null
  await using stack = new AsyncDisposableStack()
  const groups = stack.use(new LiveGroups(tools))
  const volume = (await groups.volumes([id.groupUuid], signal)).find(({ uuid }) => uuid === id.uuid)
  const lockFolder = await groupLockFolder(signal)
  if (volume === undefined || lockFolder === null) return null
  if (volume.segmentType !== 'linear' && volume.segmentType !== 'striped') return null
  const live = await groups.open(id.groupUuid, signal)
  const placed = await placeDevices(live.devices, signal)
  if (placed.disks.length === 0) return null
  const map = new VolumeTargetMap({ ...target, volume, lockFolder, groups, live, placed })
  try {
    await map.hold(signal)
  } catch (error) {
    if (isBackupError(error, ErrorCode.TargetChanged)) return null
    throw error
  } finally {
    map.letGo()
  }
  stack.move()
  return map
}

function isAboutTheGroup(error: unknown): error is Error {
  if (isBackupError(error, ErrorCode.SourceUnreadable, ErrorCode.ImageLost)) return true
  return error instanceof FormatError || error instanceof UnmappedError || error instanceof RangeError
}

class VolumeTargetMap implements TargetMap {
  readonly #parts: Parts
  #held: Disposable | null = null

  constructor(parts: Parts) {
    this.#parts = parts
  }

  get devices(): readonly DeviceIdentity[] {
    return this.#parts.placed.disks
  }

  async hold(signal: AbortSignal): Promise<PlacedTarget> {
    const { lockFolder, volume } = this.#parts
    this.letGo()
    this.#held = await holdGroup({ lockFolder, name: volume.groupName }, signal)
    try {
      return await this.#place()
    } catch (error) {
      this.letGo()
      throw error
    }
  }

  letGo(): void {
    this.#held?.[Symbol.dispose]()
    this.#held = null
  }

  forget(): void {
    for (const { fd } of this.#parts.live.devices) syscalls()?.flushDeviceCache(fd)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.letGo()
    await this.#parts.groups[Symbol.asyncDispose]()
  }

  async #place(): Promise<PlacedTarget> {
    const { live, volume, path, sizeBytes, placed } = this.#parts
    try {
      const group = await live.read()
      const found = volumeOf(group, volume.uuid, path)
      if (group.group.name !== volume.groupName) throw this.#changed(`its group is "${group.group.name}" now`)
      if (found.sizeBytes < sizeBytes)
        throw this.#changed(`it has ${found.sizeBytes} bytes now, it had ${sizeBytes}`)
      if (volumeContent(group.group, found).kind !== 'segments' || !isSoleUser(group.group, found)) {
        throw this.#changed('other volumes show its bytes too, such as snapshots of it')
      }
      const pieces = openLogicalVolume(group.group, found).extentsIn({ offset: 0, length: sizeBytes })
      const numbered = inBatches(this.#onDisks(pieces, group))
      const table = await ExtentTable.read(numbered, { sizeBytes, extentCountMax: EXTENTS_MAX })
      await this.#requireKernelAgrees(table)
      const extents = (range: Range): ExtentBatch[] =>
        [...inBatches(table.extentsIn(range))].map((batch) => placed.place(batch))
      const whole = extents({ offset: 0, length: sizeBytes })
      return { epoch: epochOf({ uuid: volume.uuid, devices: placed.disks }, whole), extents }
    } catch (error) {
      if (!isAboutTheGroup(error)) throw error
      throw this.#changed(error.message, error)
    }
  }

  *#onDisks(extents: Iterable<Extent>, { devices }: StackGroup): Generator<Extent> {
    for (const extent of extents) {
      const origin = extent.kind === 'data' ? devices[extent.device]?.origin : undefined
      if (extent.kind !== 'data' || origin?.kind !== 'image')
        throw this.#changed('some of it lies on no disk')
      yield { ...extent, device: origin.index }
    }
  }

  /** What the group's text says is not what the kernel does while a volume is changed, or waits to be refreshed. */
  async #requireKernelAgrees(table: ExtentTable): Promise<void> {
    const { live, path, sizeBytes } = this.#parts
    const expected = new Set<string>()
    for (const extent of table.extentsIn({ offset: 0, length: sizeBytes })) {
      const device = extent.kind === 'data' ? live.devices[extent.device] : undefined
      if (device !== undefined) expected.add(device.path)
    }
    const disks = await Promise.all([...expected].map(folderName))
    const folder = await blockFolderOf(await deviceNumberAt(path))
    const slaves = folder === null ? [] : await listSysfs(join(folder, 'slaves'))
    if (disks.toSorted().join() === slaves.join()) return
    throw this.#changed(
      `device-mapper has it on ${slaves.join(', ') || 'nothing'}, its group on ${disks.join(', ')}`,
    )
  }

  #changed(found: string, cause?: unknown): BackupError {
    const message = `Cannot tell where "${this.#parts.path}" lies: ${found}`
    return new BackupError(ErrorCode.TargetChanged, message, { cause })
  }
}

async function folderName(path: string): Promise<string> {
  const folder = await blockFolderOf(await deviceNumberAt(path))
  return folder === null ? path : basename(folder)
}

function epochOf(
  named: { readonly uuid: string; readonly devices: readonly DeviceIdentity[] },
  map: Iterable<ExtentBatch>,
): string {
  const hash = createHash('sha256').update(JSON.stringify(named))
  for (const extent of flat(map)) {
    if (extent.kind === 'data') hash.update(`${extent.offset} ${extent.device} ${extent.physicalOffset}\n`)
  }
  return hash.digest('hex')
}

function* flat(batches: Iterable<ExtentBatch>): Generator<Extent> {
  for (const batch of batches) yield* batch
}
