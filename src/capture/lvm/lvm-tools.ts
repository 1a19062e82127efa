import type { FrozenImage } from '../../domain/frozen-image.ts'
import type {
  LvmGroup,
  LvmVolume,
  PoolStatus,
  SnapshotStatus,
  VolumeId,
} from '../../domain/logical-volume.ts'
import type { ImageDevice } from '../provider/provided-image.ts'

/** A disk that extents lie on, open for direct reading. */
export type OpenDisk = AsyncDisposable & { readonly device: ImageDevice; readonly image: FrozenImage }

export type NewSnapshot = {
  readonly origin: LvmVolume
  readonly name: string
  readonly tags: readonly string[]
}

/** What a thin pool can be told: the kernel's documentation of thin-provisioning. */
export type PoolMessage =
  | 'reserve_metadata_snap'
  | 'release_metadata_snap'
  | `delete ${number}`
  | `create_snap ${number} ${number}`

/** A snapshot that holds nothing yet. */
export type EmptySnapshot = {
  /** From now on it has what its origin, which is suspended, has at this moment. */
  begin(): Promise<void>
}

/** Volumes whose writers wait. To dispose of it resumes them. */
export type SuspendedVolumes = AsyncDisposable & {
  /** Resumes them. Throws FREEZE_FAILED when they did not stand still all the time. */
  resume(): Promise<{ readonly windowMs: number }>
}

/** LVM and device-mapper of this host. Everything throws BackupError with a sentence when a tool fails. */
export type LvmTools = {
  /** All that people see, snapshots and pools too. */
  listVolumes(signal: AbortSignal): Promise<readonly LvmVolume[]>
  /** Asks LVM, also for disks that no active volume lies on. */
  readGroup(uuid: string, signal: AbortSignal): Promise<LvmGroup>
  /** What the kernel has of a group, without a program: its volumes that have a device, and the disks that these lie on. */
  activeGroup(
    uuid: string,
  ): Promise<{ readonly diskPaths: readonly string[]; readonly volumeUuids: ReadonlySet<string> }>
  /** The groups that have an active volume. */
  activeGroupUuids(): Promise<readonly string[]>
  /** The logical volume that a path leads to; null when it is none. */
  volumeIdAt(path: string): Promise<VolumeId | null>
  createThinSnapshot(snapshot: NewSnapshot, signal: AbortSignal): Promise<void>
  createClassicSnapshot(
    snapshot: NewSnapshot & { readonly storeSizeBytes: number },
    signal: AbortSignal,
  ): Promise<void>
  changeTags(
    volume: LvmVolume,
    change: { readonly add: readonly string[]; readonly remove: readonly string[] },
    signal: AbortSignal,
  ): Promise<void>
  /** Those that are gone already are no error. */
  removeVolumes(volumes: readonly LvmVolume[], signal: AbortSignal): Promise<void>
  poolStatus(
    pool: { readonly groupName: string; readonly poolName: string },
    signal: AbortSignal,
  ): Promise<PoolStatus>
  poolMessage(
    pool: { readonly groupName: string; readonly poolName: string },
    message: PoolMessage,
    signal: AbortSignal,
  ): Promise<void>
  snapshotStatus(snapshot: LvmVolume, signal: AbortSignal): Promise<SnapshotStatus>
  /** Takes back what a classic snapshot has held since LVM made it, and holds it ready to begin anew. */
  emptySnapshot(snapshot: LvmVolume, signal: AbortSignal): Promise<EmptySnapshot>
  /**
   * Stops the writers of volumes, all at once, their file systems at a clean point. Somebody else resumes them when this
   * process dies, and when `deadlineMs` have passed.
   */
  suspend(volumes: readonly LvmVolume[], deadlineMs: number, signal: AbortSignal): Promise<SuspendedVolumes>
  /** Waits for what only one process of this host may do at a time; ends with the process at the latest. */
  lock(name: string, signal: AbortSignal): Promise<AsyncDisposable>
  openDisk(path: string): Promise<OpenDisk>
  /** The device of a volume that is active. */
  openVolume(volume: LvmVolume): Promise<OpenDisk>
}
