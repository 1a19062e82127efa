import { VarintWriter } from '../../bytes/varint.ts'
import type { FileTime } from '../file-system.ts'
import type { EntryLink, EntryNode, FileSetEntry, StoredItem } from './entry.ts'
import { Flag, HARD_LINK_CODE, KIND_CODES } from './entry-flags.ts'
import { writeTime } from './entry-time.ts'
import { sharedLength } from './sort-key.ts'

/** What an entry is told relative to: what the entries before it in the bin said last. */
export type EntryContext = {
  readonly parent: Uint8Array
  readonly name: Uint8Array
  readonly number: number
  readonly mode: number
  readonly userId: number
  readonly groupId: number
  readonly modified: FileTime
}

/** At the start of a bin. */
export const NO_CONTEXT: EntryContext = {
  parent: new Uint8Array(0),
  name: new Uint8Array(0),
  number: 0,
  mode: 0,
  userId: 0,
  groupId: 0,
  modified: { seconds: 0, nanoseconds: 0 },
}

export function contextAfter(entry: FileSetEntry, before: EntryContext): EntryContext {
  const { parent, name, file } = entry
  if (file.kind === 'hard-link') return { ...before, parent, name }
  const { number, mode, userId, groupId, modified } = file
  return { parent, name, number, mode, userId, groupId, modified }
}

export function encodeEntry(entry: FileSetEntry, before: EntryContext): Uint8Array {
  const writer = new VarintWriter()
  writer.writeUnsigned(flagsOf(entry, before))
  if (!isSame(entry.parent, before.parent)) writeDifference(writer, entry.parent, before.parent)
  writeDifference(writer, entry.name, before.name)
  if (entry.file.kind === 'hard-link') writeLink(writer, entry.file, entry.parent)
  else writeNode(writer, entry.file, before)
  return writer.take()
}

function flagsOf({ parent, file }: FileSetEntry, before: EntryContext): number {
  const differing = isSame(parent, before.parent) ? 0 : Flag.OtherParent
  if (file.kind === 'hard-link') return HARD_LINK_CODE | differing
  const { attributes, ranges } = file
  let flags = KIND_CODES[file.kind] | differing
  if (!hasSameOwner(file, before)) flags |= Flag.OtherOwner
  if (file.born !== null) flags |= Flag.Born
  if (beginsChunk(file.content)) flags |= Flag.ContentBeginsChunk
  if (file.linkCount !== 1) flags |= Flag.LinkCount
  if (attributes.kind === 'inline') flags |= Flag.AttributesInline
  if (attributes.kind === 'stored') {
    flags |= Flag.AttributesStored | (beginsChunk(attributes.blob) ? Flag.AttributesBeginChunk : 0)
  }
  if (ranges.kind === 'inline') flags |= Flag.RangesInline
  if (ranges.kind === 'stored') {
    flags |= Flag.RangesStored | (beginsChunk(ranges.blob) ? Flag.RangesBeginChunk : 0)
  }
  return flags
}

function beginsChunk(item: StoredItem | null): boolean {
  return item !== null && item.chunkCount === 0 && item.beginsChunk
}

function writeLink(writer: VarintWriter, link: EntryLink, parent: Uint8Array): void {
  writeDifference(writer, link.parent, parent)
  writer.writeUnsigned(link.name.byteLength)
  writer.writeBytes(link.name)
}

function writeNode(writer: VarintWriter, file: EntryNode, before: EntryContext): void {
  writer.writeSigned(file.number - before.number)
  if (file.born === null) writer.writeUnsigned(file.generation)
  if (!hasSameOwner(file, before)) {
    writer.writeUnsigned(file.mode)
    writer.writeUnsigned(file.userId)
    writer.writeUnsigned(file.groupId)
  }
  if (file.linkCount !== 1) writer.writeUnsigned(file.linkCount)
  writeTime(writer, file.modified, before.modified)
  writeTime(writer, file.accessed, file.modified)
  writeTime(writer, file.changed, file.modified)
  if (file.born !== null) writeTime(writer, file.born, file.modified)
  writeKindFields(writer, file)
  writePlace(writer, file.attributes)
  writePlace(writer, file.ranges)
  if (file.kind !== 'file' || file.ranges.kind === 'whole') return
  writer.writeUnsigned(file.content?.sizeBytes ?? 0)
  writer.writeUnsigned(file.content?.chunkCount ?? 0)
}

function writeKindFields(writer: VarintWriter, file: EntryNode): void {
  switch (file.kind) {
    case 'symlink':
      writer.writeUnsigned(file.target.byteLength)
      writer.writeBytes(file.target)
      return
    case 'block-device':
    case 'character-device':
      writer.writeUnsigned(file.device?.major ?? 0)
      writer.writeUnsigned(file.device?.minor ?? 0)
      return
    case 'file':
    case 'directory':
    case 'fifo':
    case 'socket':
      writer.writeUnsigned(file.sizeBytes)
  }
}

function writePlace(writer: VarintWriter, place: EntryNode['attributes'] | EntryNode['ranges']): void {
  switch (place.kind) {
    case 'none':
    case 'whole':
      return
    case 'inline':
      writer.writeUnsigned(place.bytes.byteLength)
      writer.writeBytes(place.bytes)
      return
    case 'stored': {
      const checksum = new Uint8Array(4)
      new DataView(checksum.buffer).setUint32(0, place.blob.checksum, true)
      writer.writeUnsigned(place.blob.sizeBytes)
      writer.writeBytes(checksum)
    }
  }
}

/** How many bytes are as before, how many follow, and those. */
function writeDifference(writer: VarintWriter, bytes: Uint8Array, before: Uint8Array): void {
  const shared = sharedLength(bytes, before)
  writer.writeUnsigned(shared)
  writer.writeUnsigned(bytes.byteLength - shared)
  writer.writeBytes(bytes.subarray(shared))
}

function hasSameOwner(file: EntryNode, before: EntryContext): boolean {
  return file.mode === before.mode && file.userId === before.userId && file.groupId === before.groupId
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.byteLength === other.byteLength && sharedLength(one, other) === one.byteLength
}
