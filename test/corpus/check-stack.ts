// What the layers below file systems say, against what the tools said: partitions, logical volumes, thin devices.
import { endOf, type Range } from '../../src/domain/range.ts'
import type { Volume } from '../../src/formats/volume-stack/volume.ts'
import type { StackSurvey } from '../support/survey/survey-stack.ts'
import type { ThinPoolSurvey } from '../support/survey/survey-thin-pool.ts'
import { differ } from './differ.ts'
import type { Facts, VolumeFacts } from './manifest.ts'

/** The partitions, extended ones among them, have to be those that the tool sees. */
export function checkPartitions({ stack }: StackSurvey, { sfdisk }: Facts): string[] {
  const table = sfdisk?.partitiontable
  const [disk] = stack.volumes
  if (table?.partitions === undefined || disk?.content.kind !== 'partition-table') return []
  // A partition that begins where the disk does has the disk's own table in it.
  const found = stack.volumes.flatMap(({ origin }) =>
    origin.kind === 'partition' && origin.disk === disk ? [origin.partition.range] : [],
  )
  const expected = table.partitions.map(({ start, size }) => ({
    offset: start * table.sectorsize,
    length: size * table.sectorsize,
  }))
  const containers = disk.content.table.containers.map(({ range }) => range)
  return differ('partitions', placesOf([...found, ...containers]), placesOf(expected))
}

function placesOf(ranges: readonly Range[]): string {
  return ranges
    .map(({ offset, length }) => `${offset}+${length}`)
    .toSorted()
    .join(' ')
}

/** The volume that the facts are about, by where it lies on the image; null when it is not there. */
export function volumeOfPart({ stack }: StackSurvey, { part = '', offset }: VolumeFacts): Volume | null {
  for (const volume of stack.volumes) {
    const { origin } = volume
    if (origin.kind === 'partition' && origin.partition.range.offset === offset) return volume
    if (origin.kind === 'logical-volume' && part === `LV ${origin.volume.name}`) return volume
  }
  return null
}

/** What is free on an image must not be where a file lies. `fileRanges` are of the image. */
export function checkFree(free: readonly Range[], fileRanges: readonly Range[]): string[] {
  for (const range of fileRanges) {
    let low = 0
    let high = free.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const at = free[middle]
      if (at !== undefined && endOf(at) <= range.offset) low = middle + 1
      else high = middle
    }
    const next = free[low]
    if (next !== undefined && next.offset < endOf(range)) {
      return [`${next.length} bytes at ${next.offset} are called free, a file lies at ${range.offset}`]
    }
  }
  return []
}

/** `thin_ls` prints what each device maps in rounded units. */
export function checkThinDevices(
  { pool, mappedBlocks }: ThinPoolSurvey,
  { thin_ls, thin_check }: Facts,
): string[] {
  if (thin_check?.exit !== 0 || thin_ls?.exit !== 0 || pool === null) return []
  const units: Readonly<Record<string, number>> = {
    KiB: 2 ** 10,
    MiB: 2 ** 20,
    GiB: 2 ** 30,
    TiB: 2 ** 40,
    '': 1,
  }
  const expected = thin_ls.output.flatMap((line): string[] => {
    const [, id, size, unit] = /^ *(\d+) +(\d+)([KMGT]iB)? /.exec(line) ?? []
    return id === undefined ? [] : [`${id}: ${Number(size) * (units[unit ?? ''] ?? 1)}`]
  })
  const found = [...mappedBlocks].map(([id, count], index) => {
    const bytes = count * pool.dataBlockBytes
    const unit =
      units[
        /\d+([KMGT]iB)? /.exec(thin_ls.output[index + 1]?.trimStart().replace(/^\d+ +/, '') ?? '')?.[1] ?? ''
      ] ?? 1
    return `${id}: ${Math.round(bytes / unit) * unit}`
  })
  return differ('mapped bytes of devices', found.join(', '), expected.join(', '))
}
