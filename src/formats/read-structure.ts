import { readStruct, type Layout, type StructValues } from '../bytes/struct.ts'
import { FormatError, type StructurePlace } from './format-error.ts'

/** `readStruct`, but a number that is too large, or bytes that end too early, are damage with a place. */
export function readStructure<const L extends Layout>(
  layout: L,
  bytes: Uint8Array,
  place: StructurePlace,
): StructValues<L> {
  try {
    return readStruct(layout, bytes)
  } catch (error) {
    if (error instanceof RangeError) throw new FormatError(place, error.message)
    throw error
  }
}
