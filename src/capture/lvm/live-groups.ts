import { ErrorCode, isBackupError } from '../../domain/backup-error.ts'
import type { LvmGroup, LvmVolume } from '../../domain/logical-volume.ts'
import { roomOfGroup, volumesOfGroup } from './group-volumes.ts'
import { LiveGroup } from './live-group.ts'
import type { LvmTools } from './lvm-tools.ts'

/**
 * The volume groups of one freeze: each is opened once. What LVM has just made is found in the group's own text, which
 * is on the disks before LVM's command ends; LVM is asked only where that cannot be read, for its programs cost the host
 * that is backed up more than all the rest.
 */
export class LiveGroups implements AsyncDisposable {
  readonly #tools: LvmTools
  readonly #open = new Map<string, Promise<LiveGroup>>()

  constructor(tools: LvmTools) {
    this.#tools = tools
  }

  async open(groupUuid: string, signal: AbortSignal): Promise<LiveGroup> {
    const known = this.#open.get(groupUuid)
    if (known !== undefined) return await known
    const opened = LiveGroup.open(this.#tools, groupUuid, signal)
    this.#open.set(groupUuid, opened)
    // Who asks next tries again.
    opened.catch(() => this.#open.delete(groupUuid))
    return await opened
  }

  /** All volumes of these groups that people see, as of this moment. */
  async volumes(groupUuids: Iterable<string>, signal: AbortSignal): Promise<readonly LvmVolume[]> {
    const volumes: LvmVolume[] = []
    for (const groupUuid of new Set(groupUuids)) volumes.push(...(await this.#volumesOf(groupUuid, signal)))
    return volumes
  }

  /** Of all groups that have an active volume. In another one nothing is written, and nothing grows. */
  async allVolumes(signal: AbortSignal): Promise<readonly LvmVolume[]> {
    return await this.volumes([...this.#open.keys(), ...(await this.#tools.activeGroupUuids())], signal)
  }

  async room(groupUuid: string, signal: AbortSignal): Promise<Omit<LvmGroup, 'diskPaths'>> {
    try {
      const { group } = await (await this.open(groupUuid, signal)).read()
      return { ...roomOfGroup(group), uuid: groupUuid }
    } catch (error) {
      if (!isBackupError(error, ErrorCode.SourceUnreadable)) throw error
      return await this.#tools.readGroup(groupUuid, signal)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const opened of await Promise.allSettled(this.#open.values())) {
      if (opened.status === 'fulfilled') await opened.value[Symbol.asyncDispose]()
    }
    this.#open.clear()
  }

  async #volumesOf(groupUuid: string, signal: AbortSignal): Promise<readonly LvmVolume[]> {
    try {
      const { group } = await (await this.open(groupUuid, signal)).read()
      return volumesOfGroup(group, (await this.#tools.activeGroup(groupUuid)).volumeUuids)
    } catch (error) {
      if (!isBackupError(error)) throw error
      const volumes = await this.#tools.listVolumes(signal)
      return volumes.filter((volume) => volume.groupUuid === groupUuid)
    }
  }
}
