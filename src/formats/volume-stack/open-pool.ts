import { cachedImage } from '../../images/cached-image.ts'
import { openThinPool, type ThinPool as PoolMetadata } from '../dm-thin/thin-pool.ts'
import { openLogicalVolume } from '../lvm2/logical-volume-extents.ts'
import type { ThinPool } from '../lvm2/volume-content.ts'
import { imageOnGroup } from './image-on-group.ts'
import type { StackGroup } from './volume.ts'

/** The metadata of a thin pool of a group. Of a frozen disk, what is there now is what counts. */
export async function openPool(group: StackGroup, pool: ThinPool): Promise<PoolMetadata> {
  const map = openLogicalVolume(group.group, pool.metadataVolume)
  return await openThinPool(cachedImage(imageOnGroup(group, map)), { snapshot: false })
}
