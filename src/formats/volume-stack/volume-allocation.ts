import { isSoleUser } from '../lvm2/sole-use.ts'
import { groupAllocation } from './group-allocation.ts'
import type { AllocationProof } from '../file-system.ts'
import type { Volume, VolumeStack } from './volume.ts'

/** Whether what the content of a volume gives up is free on the images of the source, through all layers. */
export function volumeAllocation(stack: VolumeStack, volume: Volume): AllocationProof {
  const own = ownAllocation(stack, volume)
  if (!own.proven) return own
  for (const lower of lowerVolumes(volume)) {
    const allocation = volumeAllocation(stack, lower)
    if (!allocation.proven) return allocation
  }
  return own
}

/** The same, one layer down: on the disk of a partition, on the disks of a volume group. */
export function ownAllocation(stack: VolumeStack, { origin }: Volume): AllocationProof {
  switch (origin.kind) {
    case 'image':
      return { proven: true }
    case 'partition':
      return origin.partition.overlaps ? notProven('its partition overlaps another') : { proven: true }
    case 'logical-volume': {
      const { group, volume, type } = origin
      if (type === 'thin') return notProven('only its pool knows what it shares with other volumes')
      if (type === 'snapshot') return notProven('it is a snapshot, which shares blocks with its origin')
      if (!isSoleUser(group.group, volume)) return notProven('other volumes show its bytes, too')
      return groupAllocation(stack, group)
    }
  }
}

function lowerVolumes({ origin }: Volume): readonly Volume[] {
  switch (origin.kind) {
    case 'image':
      return []
    case 'partition':
      return [origin.disk]
    case 'logical-volume':
      return origin.devices.filter((device) => device !== null)
  }
}

function notProven(reason: string): AllocationProof {
  return { proven: false, reason }
}
