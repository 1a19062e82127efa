import type { Extent } from '../../domain/extent.ts'
import { endOf, type Range } from '../../domain/range.ts'
import type { ExtentLayer } from '../../extents/compose-extents.ts'
import { moveExtent } from '../../extents/cut-extent.ts'
import { FormatError, UnmappedError } from '../format-error.ts'
import type { Volume } from './volume.ts'

/**
 * Where the bytes of a volume lie on the images of the source, through all layers: the devices of the extents are the
 * indexes of those images. For `composeExtents()`, after which the extents of a file are extents of disks.
 */
export function volumeLayer(volume: Volume): ExtentLayer {
  return {
    extentsIn: (range) => {
      const { sizeBytes } = volume.image
      if (endOf(range) <= sizeBytes) return locate(volume, range)
      const place = { structure: `volume "${volume.name}"`, offsetBytes: range.offset }
      throw new FormatError(place, `its bytes up to ${endOf(range)} are used, it has ${sizeBytes}`)
    },
  }
}

function* locate(volume: Volume, range: Range): Generator<Extent> {
  const { origin } = volume
  switch (origin.kind) {
    case 'image':
      yield { kind: 'data', ...range, device: origin.index, physicalOffset: range.offset }
      return
    case 'partition': {
      const start = origin.partition.range.offset
      yield* movedBy(locate(origin.disk, { ...range, offset: start + range.offset }), -start)
      return
    }
    case 'logical-volume':
      for (const extent of origin.map.extentsIn(range)) {
        if (extent.kind !== 'data') {
          yield extent
          continue
        }
        const { device, offset, length, physicalOffset } = extent
        const disk = deviceOf(volume, origin.devices[device])
        yield* movedBy(locate(disk, { offset: physicalOffset, length }), offset - physicalOffset)
      }
  }
}

function* movedBy(extents: Iterable<Extent>, by: number): Generator<Extent> {
  for (const extent of extents) yield moveExtent(extent, extent.offset + by)
}

function deviceOf(volume: Volume, device: Volume | null | undefined): Volume {
  if (device !== null && device !== undefined) return device
  throw new UnmappedError(
    'missing physical volume',
    `Cannot locate "${volume.name}": a disk of it is missing`,
  )
}
