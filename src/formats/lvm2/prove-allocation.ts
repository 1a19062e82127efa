import type { AllocationProof } from '../file-system.ts'
import { usesOfDevice } from './physical-uses.ts'
import type { GroupDevice, VolumeGroup } from './volume-group.ts'

/** Each of thousands of volumes asks. */
const PROOFS = new WeakMap<VolumeGroup, AllocationProof>()

/**
 * Whether what no volume of a group has is proven free: all its disks are here, they agree about the group as it is
 * now, and no extent is used twice.
 */
export function proveGroupAllocation(group: VolumeGroup): AllocationProof {
  let proof = PROOFS.get(group)
  if (proof === undefined) {
    proof = prove(group)
    PROOFS.set(group, proof)
  }
  return proof
}

function prove(group: VolumeGroup): AllocationProof {
  for (const [index, device] of group.physicalVolumes.entries()) {
    const reason = doubtAbout(device, group) ?? (isUsedTwice(group, index) ? 'uses an extent twice' : null)
    if (reason !== null) return { proven: false, reason: `its volume group ${reason}` }
  }
  return { proven: true }
}

function doubtAbout(device: GroupDevice, { extentSizeBytes }: VolumeGroup): string | null {
  const { name, uuid, image } = device
  const which = `physical volume ${name} (${uuid})`
  // It may hold newer metadata than the disks that are here.
  if (image === null) return `lacks ${which}`
  if (device.isMarkedMissing) return `goes without ${which}, although it is here`
  if (!image.isCurrent) return `is not described on ${which} as it is now`
  if (device.peStartBytes + device.peCount * extentSizeBytes > image.sizeBytes) {
    return `has extents beyond the end of ${which}`
  }
  return null
}

function isUsedTwice(group: VolumeGroup, device: number): boolean {
  let end = 0
  for (const { startExtent, extentCount } of usesOfDevice(group, device)) {
    if (startExtent < end) return true
    end = startExtent + extentCount
  }
  return false
}
