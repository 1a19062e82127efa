// An entry of a GUID partition table: UEFI specification, section 5.3.3 "GPT Partition Entry Array".
import type { Layout } from '../../bytes/struct.ts'
import type { StructurePlace } from '../format-error.ts'
import { formatGuid } from './guid.ts'
import { readStructure } from '../read-structure.ts'

const ENTRY = {
  typeGuid: [0, ['bytes', 16]],
  uniqueGuid: [16, ['bytes', 16]],
  firstLba: [32, 'u64le'],
  lastLba: [40, 'u64le'],
  attributesLow: [48, 'u32le'],
  attributesHigh: [52, 'u32le'],
  name: [56, ['bytes', 72]],
} as const satisfies Layout

export type GptEntry = {
  readonly typeGuid: string
  readonly uniqueGuid: string
  readonly firstLba: number
  /** Itself part of the partition. */
  readonly lastLba: number
  readonly flags: readonly string[]
  readonly name: string
}

const ATTRIBUTE_NAMES: Readonly<Record<number, string>> = {
  0: 'required',
  1: 'no-block-io',
  2: 'legacy-boot',
}

/** The entry that `bytes` begin with; null when it is not used. Throws FormatError for sectors beyond 2^53. */
export function parseGptEntry(bytes: Uint8Array, place: StructurePlace): GptEntry | null {
  if (bytes.subarray(0, 16).every((byte) => byte === 0)) return null
  const entry = readStructure(ENTRY, bytes, place)
  return {
    typeGuid: formatGuid(entry.typeGuid),
    uniqueGuid: formatGuid(entry.uniqueGuid),
    firstLba: entry.firstLba,
    lastLba: entry.lastLba,
    flags: [...bitNames(entry.attributesLow, 0), ...bitNames(entry.attributesHigh, 32)],
    name: nameOf(entry.name),
  }
}

function bitNames(bits: number, firstBit: number): string[] {
  return Array.from({ length: 32 }, (_, bit) => bit)
    .filter((bit) => ((bits >>> bit) & 1) === 1)
    .map((bit) => ATTRIBUTE_NAMES[firstBit + bit] ?? `bit ${firstBit + bit}`)
}

/** UTF-16 up to the first zero; what is no UTF-16 becomes U+FFFD. */
function nameOf(bytes: Uint8Array): string {
  const text = new TextDecoder('utf-16le').decode(bytes)
  const end = text.indexOf('\0')
  return end === -1 ? text : text.slice(0, end)
}
