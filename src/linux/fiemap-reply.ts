// struct fiemap and struct fiemap_extent of linux/fiemap.h, which the kernel's Documentation/filesystems/fiemap.rst
// describes. In the byte order of the machine, which on x86-64 and arm64 is little-endian.
import type { FileExtent } from '../domain/file-clone.ts'
import type { Range } from '../domain/range.ts'

export const FIEMAP_HEADER_BYTES = 32
export const FIEMAP_EXTENT_BYTES = 56

const AT_START = 0
const AT_LENGTH = 8
const AT_FLAGS = 16
const AT_MAPPED_COUNT = 20
const AT_EXTENT_COUNT = 24
const AT_LOGICAL = 0
const AT_PHYSICAL = 8
const AT_EXTENT_LENGTH = 16
const AT_EXTENT_FLAGS = 40

const FLAG_SYNC = 0x1

const EXTENT_LAST = 0x1
const EXTENT_UNWRITTEN = 0x800
const EXTENT_MERGED = 0x1000
const EXTENT_SHARED = 0x2000
/** With these alone, `fe_physical` says where exactly the bytes lie. All others, known or not, take that away. */
const EXACT_FLAGS = EXTENT_LAST | EXTENT_UNWRITTEN | EXTENT_MERGED | EXTENT_SHARED

const TWO_TO_32 = 2 ** 32

export type FiemapReply = {
  readonly extents: readonly FileExtent[]
  /** Nothing follows. */
  readonly isLast: boolean
}

/** Fills the header of `buffer` with the question for `range`. */
export function askFiemap(buffer: Uint8Array, range: Range, options: { extentCount: number }): void {
  const view = viewOf(buffer)
  buffer.fill(0, 0, FIEMAP_HEADER_BYTES)
  view.setBigUint64(AT_START, BigInt(range.offset), true)
  view.setBigUint64(AT_LENGTH, BigInt(range.length), true)
  view.setUint32(AT_FLAGS, FLAG_SYNC, true)
  view.setUint32(AT_EXTENT_COUNT, options.extentCount, true)
}

/**
 * What the kernel wrote into `buffer` for `range`: ascending, cut to the range. Throws RangeError for extents that
 * are out of order, overlap, are empty, or more than asked for.
 */
export function parseFiemap(buffer: Uint8Array, range: Range): FiemapReply {
  const view = viewOf(buffer)
  const count = view.getUint32(AT_MAPPED_COUNT, true)
  const room = Math.floor((buffer.byteLength - FIEMAP_HEADER_BYTES) / FIEMAP_EXTENT_BYTES)
  if (count > Math.min(room, view.getUint32(AT_EXTENT_COUNT, true))) {
    throw new RangeError(`Cannot take reply of FIEMAP: found ${count} extents, there is room for ${room}`)
  }
  const end = range.offset + range.length
  const extents: FileExtent[] = []
  let position = range.offset
  let isLast = count === 0
  for (let index = 0; index < count; index += 1) {
    const at = FIEMAP_HEADER_BYTES + index * FIEMAP_EXTENT_BYTES
    const flags = view.getUint32(at + AT_EXTENT_FLAGS, true)
    const logical = read64(view, at + AT_LOGICAL)
    const length = read64(view, at + AT_EXTENT_LENGTH)
    // Only the first may begin before what was asked for.
    const start = index === 0 ? Math.max(logical, position) : logical
    const stop = Math.min(logical + length, end)
    if (length === 0 || start < position || logical + length < start)
      throw disorder(logical, length, position)
    if (flags & EXTENT_LAST || logical + length >= end) isLast = true
    if (stop <= start) continue
    position = stop
    extents.push({
      offset: start,
      length: stop - start,
      place: placeOf(flags),
      physicalOffset: read64(view, at + AT_PHYSICAL) + start - logical,
      shared: (flags & EXTENT_SHARED) !== 0,
    })
  }
  return { extents, isLast }
}

function placeOf(flags: number): FileExtent['place'] {
  if ((flags & ~EXACT_FLAGS) !== 0) return 'inexact'
  return flags & EXTENT_UNWRITTEN ? 'unwritten' : 'exact'
}

function disorder(logical: number, length: number, position: number): RangeError {
  return new RangeError(
    `Cannot take reply of FIEMAP: found extent ${logical}+${length} after ${position}, expected ascending extents`,
  )
}

function read64(view: DataView, at: number): number {
  const value = view.getUint32(at, true) + view.getUint32(at + 4, true) * TWO_TO_32
  if (!Number.isSafeInteger(value))
    throw new RangeError(`Cannot take reply of FIEMAP: ${value} is beyond 8 PiB`)
  return value
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
