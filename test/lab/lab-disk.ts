import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'

import { giveToLabUser } from '../../tools/lab/lab-user.ts'

/** A disk to be attached to a host. */
export type LabDisk = {
  /** The path of its image on this machine. */
  readonly image: string
  /**
   * `own`: nobody else has it. `shared-writer`: others read it meanwhile; every write is durable when it ends.
   * `shared-reader`: the host cannot write to it.
   */
  readonly mode: 'own' | 'shared-writer' | 'shared-reader'
  /** With one, the host sees a SCSI disk; hosts that see the same serial number see the same identity. */
  readonly serial?: string
}

/** A disk as a host sees it. */
export type AttachedDisk = {
  readonly image: string
  /** `/dev/sda`, `/dev/ubdb` */
  readonly path: string
  /** `naa.6001405…`, as sysfs says it; undefined for a disk without a serial number. */
  readonly wwid: string | undefined
}

/** What the kernel's `ubd` driver calls: c, not locked; s, synchronous; r, read-only. */
const FLAGS = { own: '', 'shared-writer': 'cs', 'shared-reader': 'cr' } as const

/** The word of the kernel's command line, and of its management console, for the disk with this number. */
export function diskWord(disk: LabDisk, index: number): string {
  // The driver takes a comma or a colon for the end of the name.
  assert.match(disk.image, /^\/[^\s,:]+$/, 'a disk image has an absolute path without space, comma and colon')
  giveToLabUser(disk.image)
  return `ubd${index}${FLAGS[disk.mode]}=${disk.image}`
}

export function diskDevice(index: number): string {
  return `/dev/ubd${String.fromCharCode('a'.charCodeAt(0) + index)}`
}

/** The kernel's SCSI target makes the identity out of the serial number's hexadecimal digits alone. */
export function targetSerial(serial: string): string {
  return createHash('sha256').update(serial).digest('hex').slice(0, 32)
}

/** The identity of every disk with this serial number: the target's vendor prefix, then 25 digits. */
export function wwidOf(serial: string): string {
  return `naa.6001405${targetSerial(serial).slice(0, 25)}`
}
