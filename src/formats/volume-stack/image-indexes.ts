import type { StackGroup, Volume } from './volume.ts'

/** The indexes of the images that a volume lies on, through all layers, ascending. */
export function imageIndexes(volume: Volume): readonly number[] {
  const { origin } = volume
  switch (origin.kind) {
    case 'image':
      return [origin.index]
    case 'partition':
      return imageIndexes(origin.disk)
    case 'logical-volume':
      return imageIndexesOfGroup(origin.group)
  }
}

export function imageIndexesOfGroup(group: StackGroup): readonly number[] {
  const indexes = group.devices.flatMap((device) => (device === null ? [] : imageIndexes(device)))
  return [...new Set(indexes)].toSorted((a, b) => a - b)
}
