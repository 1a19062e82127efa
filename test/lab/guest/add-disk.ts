import { hideFromLvm } from './lvm-configuration.ts'
import type { GuestDisk } from './messages.ts'
import { addScsiDisk } from './scsi-disk.ts'

/** Makes a disk known to the guest, as a SCSI disk if it has a serial number; returns its path. */
export async function addDisk({ device, serial, readOnly }: GuestDisk): Promise<string> {
  if (serial === undefined) return device
  hideFromLvm(device)
  return await addScsiDisk({ device, serial, readOnly })
}
