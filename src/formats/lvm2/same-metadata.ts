import { isSameBytes } from '../../bytes/same-bytes.ts'
import type { PhysicalVolume } from './physical-volume.ts'

/** Two readings of some devices found the same: labels and texts, byte for byte. What was made of one is true of the other. */
export function isSameMetadata(first: readonly PhysicalVolume[], second: readonly PhysicalVolume[]): boolean {
  return (
    first.length === second.length &&
    first.every((volume, index) => {
      const other = second[index]
      return other !== undefined && isSameVolume(volume, other)
    })
  )
}

function isSameVolume(first: PhysicalVolume, second: PhysicalVolume): boolean {
  return (
    first.imageSizeBytes === second.imageSizeBytes &&
    !first.hasUnreadArea &&
    !second.hasUnreadArea &&
    JSON.stringify([first.label, first.findings]) === JSON.stringify([second.label, second.findings]) &&
    first.texts.length === second.texts.length &&
    first.texts.every(({ checksum, bytes }, index) => {
      const other = second.texts[index]
      return other !== undefined && other.checksum === checksum && isSameBytes(other.bytes, bytes)
    })
  )
}
