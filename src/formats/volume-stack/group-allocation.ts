import type { AllocationProof } from '../file-system.ts'
import { proveGroupAllocation } from '../lvm2/prove-allocation.ts'
import type { StackGroup, Volume, VolumeStack } from './volume.ts'

/** Whether what a volume group does not use is proven free. */
export function groupAllocation(stack: VolumeStack, group: StackGroup): AllocationProof {
  const twins = stack.groups.filter((other) => other.group.uuid === group.group.uuid)
  // Its parts lie in different layers, or one of the two is a copy.
  if (twins.length > 1) return { proven: false, reason: 'its volume group is found in several places' }
  return proveGroupAllocation(group.group)
}

/** The same of the group that a physical volume is of. */
export function allocationOfPhysicalVolume(stack: VolumeStack, disk: Volume): AllocationProof {
  const group = groupOfDisk(stack, disk)
  if (group !== null) return groupAllocation(stack, group)
  return { proven: false, reason: 'its volume group cannot be put together' }
}

export function groupOfDisk(stack: VolumeStack, disk: Volume): StackGroup | null {
  return stack.groups.find(({ devices }) => devices.includes(disk)) ?? null
}
