import { BackupError, ErrorCode, isBackupError } from '../../domain/backup-error.ts'
import type { FrozenImage } from '../../domain/frozen-image.ts'
import { FormatError, UnmappedError } from '../../formats/format-error.ts'
import { assembleVolumeGroups } from '../../formats/lvm2/assemble-groups.ts'
import { readPhysicalVolume, type PhysicalVolume } from '../../formats/lvm2/physical-volume.ts'
import { isSameMetadata } from '../../formats/lvm2/same-metadata.ts'
import type { LogicalVolume, VolumeGroup } from '../../formats/lvm2/volume-group.ts'
import type { StackGroup, Volume } from '../../formats/volume-stack/volume.ts'
import { cachedImage } from '../../images/cached-image.ts'
import { PageCache, type CacheLimits } from '../../images/page-cache.ts'
import type { ImageDevice } from '../provider/provided-image.ts'
import type { LvmTools, OpenDisk } from './lvm-tools.ts'

/** Labels and texts are read once, and again with each question: a cache for more would be memory to clear each time. */
const TEXT_CACHE: CacheLimits = { pageBytes: 16 * 1024, memoryBytes: 64 * 1024 }

/**
 * The disks of a volume group that is in use, open for reading. What lies on them changes: `read()` says what they
 * hold at this moment.
 */
export class LiveGroup implements AsyncDisposable {
  readonly #uuid: string
  readonly #disks: readonly OpenDisk[]
  /** What was put together last, and of what: of the same bytes it is the same. */
  #assembled: { readonly physical: readonly PhysicalVolume[]; readonly group: VolumeGroup } | null = null

  private constructor(uuid: string, disks: readonly OpenDisk[]) {
    this.#uuid = uuid
    this.#disks = disks
  }

  /** LVM is asked for the disks only where the kernel does not use all of them. */
  static async open(tools: LvmTools, uuid: string, signal: AbortSignal): Promise<LiveGroup> {
    const { diskPaths } = await tools.activeGroup(uuid)
    const whole = await openWhole(() => LiveGroup.#openDisks(tools, uuid, diskPaths))
    if (whole !== null) return whole
    return await LiveGroup.#openDisks(tools, uuid, (await tools.readGroup(uuid, signal)).diskPaths)
  }

  static async #openDisks(tools: LvmTools, uuid: string, paths: readonly string[]): Promise<LiveGroup> {
    await using stack = new AsyncDisposableStack()
    const disks: OpenDisk[] = []
    for (const path of paths) disks.push(stack.use(await tools.openDisk(path)))
    stack.move()
    return new LiveGroup(uuid, disks)
  }

  /** By the numbers that `read()` gives its devices. */
  get devices(): readonly ImageDevice[] {
    return this.#disks.map(({ device }) => device)
  }

  get images(): readonly FrozenImage[] {
    return this.#disks.map(({ image }) => image)
  }

  /**
   * The group by its newest text, on its disks as they are now. Devices of maps are numbered as `devices` are, not as
   * the group's text has them. Throws SOURCE_UNREADABLE when the group cannot be put together.
   */
  async read(): Promise<StackGroup> {
    const texts = new PageCache(TEXT_CACHE)
    const cache = new PageCache()
    try {
      const physical: PhysicalVolume[] = []
      const present: Volume[] = []
      for (const [index, { image }] of this.#disks.entries()) {
        const volume = await readPhysicalVolume(cachedImage(image, texts))
        if (volume === null) continue
        physical.push(volume)
        const origin = { kind: 'image', index } as const
        const content = { kind: 'physical-volume' } as const
        present.push({ name: '', origin, image: cachedImage(image, cache), content })
      }
      const group = this.#assemble(physical)
      const devices = group.physicalVolumes.map(({ image }) =>
        image === null ? null : (present[image.index] ?? null),
      )
      return { group, devices }
    } catch (error) {
      if (!(error instanceof FormatError) && !(error instanceof UnmappedError)) throw error
      throw this.#unreadable(error.message, error)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const disk of this.#disks) await disk[Symbol.asyncDispose]()
  }

  #assemble(physical: readonly PhysicalVolume[]): VolumeGroup {
    if (this.#assembled !== null && isSameMetadata(this.#assembled.physical, physical))
      return this.#assembled.group
    const group = assembleVolumeGroups(physical).groups.find(({ uuid }) => uuid === this.#uuid)
    if (group === undefined) throw this.#unreadable('none of its disks has its metadata')
    this.#assembled = { physical, group }
    return group
  }

  #unreadable(found: string, cause?: unknown): BackupError {
    const paths = this.#disks.map(({ device }) => device.path).join(', ')
    const message = `Cannot read volume group ${this.#uuid} from its disks ${paths}: ${found}`
    return new BackupError(ErrorCode.SourceUnreadable, message, { cause })
  }
}

/** Null when these are not all disks of the group, or not all of them know its newest text. */
async function openWhole(open: () => Promise<LiveGroup>): Promise<LiveGroup | null> {
  try {
    await using stack = new AsyncDisposableStack()
    const live = stack.use(await open())
    const { group } = await live.read()
    if (!group.physicalVolumes.every(({ image }) => image?.isCurrent === true)) return null
    stack.move()
    return live
  } catch (error) {
    // Whoever asks LVM then says what is wrong.
    if (isBackupError(error)) return null
    throw error
  }
}

/** The volume of that UUID. Throws IMAGE_LOST when the group has it no more. */
export function volumeOf({ group }: StackGroup, uuid: string, label: string): LogicalVolume {
  const volume = group.logicalVolumes.find((one) => one.uuid === uuid)
  if (volume !== undefined) return volume
  const message = `Cannot find "${label}" in volume group "${group.name}": it was removed, required is that it stays until the backup is done`
  throw new BackupError(ErrorCode.ImageLost, message, { data: { uuid } })
}
