import type { FrozenImage } from '../../domain/frozen-image.ts'
import { mappedImage, type ExtentLookup } from '../../images/mapped-image.ts'
import { UnmappedError } from '../format-error.ts'
import type { StackGroup } from './volume.ts'

/** What a map over the physical volumes of a group gives, as an image. The map names no device that is not here. */
export function imageOnGroup({ group, devices }: StackGroup, map: ExtentLookup): FrozenImage {
  const layers = devices.map((volume, device) => ({
    image: volume?.image ?? missingImage(group.name),
    device,
    isMapped: false,
  }))
  return mappedImage(map, layers)
}

function missingImage(groupName: string): FrozenImage {
  const refuse = (): never => {
    throw new UnmappedError(
      'missing physical volume',
      `Cannot read volume group "${groupName}": a disk is missing`,
    )
  }
  return {
    sizeBytes: 0,
    sectorSizeBytes: 512,
    extents: refuse,
    readInto: refuse,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}
