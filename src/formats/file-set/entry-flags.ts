import type { FileKind } from '../file-system.ts'

/** The lowest three bits of an entry's flags. */
export const KIND_CODES: Readonly<Record<FileKind, number>> = {
  file: 0,
  directory: 1,
  symlink: 2,
  'block-device': 3,
  'character-device': 4,
  fifo: 5,
  socket: 6,
}
export const HARD_LINK_CODE = 7
export const KIND_MASK = 7

/** Those that ordinary files have come first, so that their flags take one byte. */
export const Flag = {
  OtherParent: 1 << 3,
  OtherOwner: 1 << 4,
  Born: 1 << 5,
  ContentBeginsChunk: 1 << 6,
  LinkCount: 1 << 7,
  AttributesInline: 1 << 8,
  AttributesStored: 1 << 9,
  RangesInline: 1 << 10,
  RangesStored: 1 << 11,
  AttributesBeginChunk: 1 << 12,
  RangesBeginChunk: 1 << 13,
} as const
export const FLAGS_END: number = 1 << 14

const KINDS: ReadonlyMap<number, FileKind> = new Map([
  [KIND_CODES.file, 'file'],
  [KIND_CODES.directory, 'directory'],
  [KIND_CODES.symlink, 'symlink'],
  [KIND_CODES['block-device'], 'block-device'],
  [KIND_CODES['character-device'], 'character-device'],
  [KIND_CODES.fifo, 'fifo'],
  [KIND_CODES.socket, 'socket'],
])

/** Null for a further name of a file. */
export function kindOfCode(code: number): FileKind | null {
  return KINDS.get(code) ?? null
}
