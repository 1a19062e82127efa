import { openThinPool, type ThinPool as PoolMetadata, type ThinPoolOptions } from '../dm-thin/thin-pool.ts'
import { FormatError, UnmappedError } from '../format-error.ts'
import { openLogicalVolume } from '../lvm2/logical-volume-extents.ts'
import type { ThinPool } from '../lvm2/volume-content.ts'
import { imageOnGroup } from './image-on-group.ts'
import type { StackGroup } from './volume.ts'

/**
 * The metadata of a thin pool of a group, as it is now or as its metadata snapshot holds it. Throws FormatError and
 * UnmappedError where the metadata is not of this pool, or not of its present: then its volumes are nobody's guess.
 */
export async function openPool(
  group: StackGroup,
  pool: ThinPool,
  options: ThinPoolOptions,
): Promise<PoolMetadata> {
  const map = openLogicalVolume(group.group, pool.metadataVolume)
  const metadata = await openThinPool(imageOnGroup(group, map), options)
  requireSameSizes(pool, metadata)
  // While the group's metadata waits for the pool to be told of volumes, the pool is one step behind.
  if (metadata.transactionId !== pool.transactionId && !pool.hasPendingMessages) {
    throw new UnmappedError(
      'thin pool of another transaction',
      `Cannot map thin pool "${pool.volume.name}": its metadata is of transaction ${metadata.transactionId}, ` +
        `the volume group says ${pool.transactionId}`,
    )
  }
  return metadata
}

function requireSameSizes(pool: ThinPool, { dataBlockBytes, dataBlockCount }: PoolMetadata): void {
  const place = { structure: `metadata of thin pool "${pool.volume.name}"`, offsetBytes: 0 }
  if (dataBlockBytes !== pool.chunkSizeBytes) {
    throw new FormatError(
      place,
      `its blocks have ${dataBlockBytes} bytes, the volume group says ${pool.chunkSizeBytes}`,
    )
  }
  const dataBytes = dataBlockCount * dataBlockBytes
  if (dataBytes > pool.dataVolume.sizeBytes) {
    throw new FormatError(
      place,
      `its data has ${dataBytes} bytes, the volume it lies on ${pool.dataVolume.sizeBytes}`,
    )
  }
}
