import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import type { Extent } from '../../domain/extent.ts'
import type { FrozenImage } from '../../domain/frozen-image.ts'
import type { Range } from '../../domain/range.ts'
import { differenceExtents } from '../../extents/difference-extents.ts'
import { inBatches } from '../../extents/in-batches.ts'
import { FormatError, UnmappedError } from '../../formats/format-error.ts'
import { isSoleUser } from '../../formats/lvm2/sole-use.ts'
import { openVolumeStack } from '../../formats/volume-stack/open-volume-stack.ts'
import type { Volume } from '../../formats/volume-stack/volume.ts'
import { volumeLayer } from '../../formats/volume-stack/volume-layer.ts'
import { mapperName } from '../../linux/lvm/device-mapper-status.ts'
import type { MapToWrite } from './require-sound-map.ts'

export type OwnViewParts = {
  /** As the user named the target on its host. */
  readonly path: string
  readonly map: MapToWrite
  /** The disks that it lies on, as this host reads them: by the map's device numbers. */
  readonly disks: ReadonlyMap<number, FrozenImage>
}

/**
 * Nobody's word is taken for where to write: what this host itself reads on the disks has to say that the volume of the
 * name that the user typed lies exactly where its owner's agent says. Throws TARGET_MISMATCH.
 */
export async function requireOwnView(parts: OwnViewParts, signal: AbortSignal): Promise<void> {
  const numbers = [...parts.disks.keys()]
  const images = numbers.map((number) => ({ name: `disk${number}`, image: imageOf(parts, number) }))
  try {
    const { volumes } = await openVolumeStack(images, signal)
    const volume = namedVolume(volumes, parts.path) ?? plainVolume(volumes, parts)
    if (volume === null) throw mismatch(parts, 'has no volume of that name there')
    const { sizeBytes } = parts.map
    if (volume.image.sizeBytes < sizeBytes) throw mismatch(parts, 'has a smaller volume there')
    const whole = { offset: 0, length: sizeBytes }
    const own = numbered(volumeLayer(volume).extentsIn(whole), numbers)
    for await (const batch of differenceExtents(inBatches(own), inBatches(parts.map.extentsIn(whole)))) {
      const [range] = batch
      if (range !== undefined) throw mismatch(parts, `has its bytes ${textOf(range)} elsewhere`)
    }
  } catch (error) {
    if (!(error instanceof FormatError || error instanceof UnmappedError)) throw error
    throw mismatch(parts, `cannot be understood: ${error.message}`)
  }
}

function imageOf({ disks }: OwnViewParts, number: number): FrozenImage {
  const image = disks.get(number)
  if (image === undefined) throw new RangeError(`there is no disk ${number}`)
  return image
}

/** The logical volume of that path, of which nothing else shows the bytes. */
function namedVolume(volumes: readonly Volume[], path: string): Volume | null {
  const found = volumes.filter(({ origin }) => {
    if (origin.kind !== 'logical-volume') return false
    const { group } = origin.group
    const paths = [
      `/dev/${group.name}/${origin.volume.name}`,
      `/dev/mapper/${mapperName(group.name, origin.volume.name)}`,
    ]
    return paths.includes(path) && origin.type === 'segments' && isSoleUser(group, origin.volume)
  })
  return found.length === 1 ? (found[0] ?? null) : null
}

/** A partition of the number that the path ends with, or a disk on which no volume group lies. */
function plainVolume(volumes: readonly Volume[], { path, map }: OwnViewParts): Volume | null {
  if (volumes.some(({ content }) => content.kind === 'physical-volume')) return null
  const disks = volumes.filter(({ origin }) => origin.kind === 'image')
  const [disk] = disks
  if (disk === undefined || disks.length > 1) return null
  const [first] = map.extentsIn({ offset: 0, length: 1 })
  if (disk.image.sizeBytes === map.sizeBytes) return disk
  const number = Number(/\d+$/.exec(path)?.[0] ?? Number.NaN)
  const partition = volumes.find(
    ({ origin, image }) =>
      origin.kind === 'partition' &&
      origin.disk === disk &&
      origin.partition.number === number &&
      !origin.partition.overlaps &&
      first?.kind === 'data' &&
      origin.partition.range.offset === first.physicalOffset &&
      image.sizeBytes === map.sizeBytes,
  )
  return partition ?? null
}

function* numbered(extents: Iterable<Extent>, numbers: readonly number[]): Generator<Extent> {
  for (const extent of extents) {
    if (extent.kind === 'data') yield { ...extent, device: numbers[extent.device] ?? -1 }
    else yield extent
  }
}

function mismatch({ path }: OwnViewParts, found: string): BackupError {
  const message = `Cannot write "${path}" on the storage: what this host reads on the disks ${found}; required is the name of a logical volume as /dev/GROUP/VOLUME, or of a partition or a disk that no volume group lies on`
  return new BackupError(ErrorCode.TargetMismatch, message, { data: { path } })
}

function textOf({ offset, length }: Range): string {
  return `${offset}+${length}`
}
