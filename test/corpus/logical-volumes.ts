import { readFileSync, existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { openVolumeStack } from '../../src/formats/volume-stack/open-volume-stack.ts'
import { volumeLayer } from '../../src/formats/volume-stack/volume-layer.ts'
import type { VolumeStack } from '../../src/formats/volume-stack/volume.ts'
import { readSparse, SparseBytes, sparseImage } from '../support/sparse-bytes.ts'
import { differ } from './differ.ts'
import type { CorpusEntry } from './manifest.ts'

/** The starts of all physical volumes of a group, and what `lvs` said of it. */
export type VolumeGroupImages = {
  readonly folder: string
  readonly disks: readonly {
    readonly path: string
    readonly startBytes: number
    readonly sizeBytes: number
  }[]
}

export function volumeGroups(folder: string, entries: readonly CorpusEntry[]): readonly VolumeGroupImages[] {
  const groups = new Map<string, { path: string; startBytes: number; sizeBytes: number }[]>()
  for (const { path, sizeBytes, special } of entries) {
    const size = /truncate -s (\d+)/.exec(special)?.[1]
    if (size === undefined || !existsSync(join(folder, dirname(path), 'expect.lvs.txt'))) continue
    const disks = groups.get(dirname(path)) ?? []
    groups.set(dirname(path), disks)
    disks.push({ path, startBytes: sizeBytes, sizeBytes: Number(size) })
  }
  return [...groups].map(([path, disks]) => ({
    folder: path,
    disks: disks.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
  }))
}

/** Where each segment lies, compared with what `lvs` said. */
export async function checkLogicalVolumes(folder: string, group: VolumeGroupImages): Promise<string[]> {
  const images = await Promise.all(
    group.disks.map(async ({ path, startBytes, sizeBytes }) => {
      const start = await readSparse(join(folder, path), startBytes)
      return { name: path, image: sparseImage(new SparseBytes(sizeBytes, start.pages)) }
    }),
  )
  const stack = await openVolumeStack(images, new AbortController().signal)
  const lines = readFileSync(join(folder, group.folder, 'expect.lvs.txt'), 'utf8').split('\n')
  return lines.flatMap((line) => checkSegment(stack, line))
}

/** A line has the volume, its segment's first extent and count of extents, and where it lies: `/dev/loop1:20-29`. */
function checkSegment(stack: VolumeStack, line: string): string[] {
  const places = [...line.matchAll(/\/dev\/loop(\d+):(\d+)-(\d+)/g)].map((match) =>
    match.slice(1).map(Number),
  )
  const [, name, first, count] =
    /^ *(\S+) .*?\d+S +(\d+) +(\d+) /.exec(line.replace(/ (linear|striped) /, ' ')) ?? []
  const [found] = stack.groups
  if (found === undefined) return ['there is no volume group']
  if (places.length === 0 || name === undefined) return []
  const { extentSizeBytes, physicalVolumes } = found.group
  const volume = stack.volumes.find(
    ({ origin }) => origin.kind === 'logical-volume' && origin.volume.name === name,
  )
  if (volume === undefined) return [`there is no ${name}`]
  const range = { offset: Number(first) * extentSizeBytes, length: Number(count) * extentSizeBytes }
  const byDevice = new Map<number, { start: number; end: number; bytes: number }>()
  for (const extent of volumeLayer(volume).extentsIn(range)) {
    if (extent.kind !== 'data') return [`${name} has no data at ${extent.offset}`]
    const { device, physicalOffset, length } = extent
    const place = byDevice.get(device) ?? { start: physicalOffset, end: 0, bytes: 0 }
    place.start = Math.min(place.start, physicalOffset)
    place.end = Math.max(place.end, physicalOffset + length)
    place.bytes += length
    byDevice.set(device, place)
  }
  return places.flatMap(([disk = 0, start = 0, last = 0]) => {
    const base = physicalVolumes.find(({ image }) => image?.index === disk - 1)?.peStartBytes ?? 0
    const expected = { start: base + start * extentSizeBytes, end: base + (last + 1) * extentSizeBytes }
    const place = byDevice.get(disk - 1)
    return [
      ...differ(`start of ${name} on disk ${disk}`, place?.start, expected.start),
      ...differ(`end of ${name} on disk ${disk}`, place?.end, expected.end),
      ...differ(`bytes of ${name} on disk ${disk}`, place?.bytes, expected.end - expected.start),
    ]
  })
}
