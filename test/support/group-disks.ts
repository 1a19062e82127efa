import { readFileSync } from 'node:fs'

import { physicalVolumeBytes } from './lvm-image.ts'
import { groupText, lvmUuid, type GroupDraft } from './lvm-text.ts'

/** An extent of the groups that `groupText()` writes, and where the first one lies on each disk. */
export const EXTENT_BYTES = 1024 * 1024
export const DISK_BYTES = 64 * EXTENT_BYTES

export type GroupDisksDraft = Omit<GroupDraft, 'devices'> & {
  /** Default 1. */
  readonly diskCount?: number
  /** Begins the ids of the disks: groups of one test need different ones. */
  readonly idPrefix?: string
}

/** The ids of the disks of a group. */
export function diskUuids({ diskCount = 1, idPrefix = 'pv' }: GroupDisksDraft): readonly string[] {
  return Array.from({ length: diskCount }, (_, index) => lvmUuid(`${idPrefix}${index}`))
}

/** The disks of a volume group, 63 extents on each; each disk holds the text. */
export function groupDisks(draft: GroupDisksDraft): Uint8Array[] {
  const devices = diskUuids(draft)
  const text = groupText({ ...draft, devices })
  return devices.map((uuid) => diskWithText(uuid, text))
}

export function diskWithText(uuid: string, text: string | null): Uint8Array {
  const area = { offset: 4096, sizeBytes: 256 * 1024, ...(text === null ? {} : { text }) }
  return physicalVolumeBytes({ uuid, sizeBytes: DISK_BYTES, areas: [area] })
}

/** Where an extent of a disk begins. */
export function extentOffset(extent: number): number {
  return EXTENT_BYTES + extent * EXTENT_BYTES
}

/** Puts a volume's bytes, from an extent on, on a disk. */
export function putOnDisk(disk: Uint8Array, extent: number, content: Uint8Array | string): void {
  disk.set(typeof content === 'string' ? readFileSync(content) : content, extentOffset(extent))
}
