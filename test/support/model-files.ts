import assert from 'node:assert/strict'

import type { Extent, ExtentBatch } from '../../src/domain/extent.ts'
import type { Range } from '../../src/domain/range.ts'
import type {
  DirectoryEntry,
  ExtendedAttribute,
  FileKind,
  FileNode,
  FileSystem,
  FileTime,
} from '../../src/formats/file-system.ts'
import { UnmappedError } from '../../src/formats/format-error.ts'

/** A file of a model; a directory has entries, a file has pieces. */
export type ModelFile = {
  readonly kind: FileKind
  readonly mode?: number
  readonly userId?: number
  readonly times?: readonly [FileTime, FileTime, FileTime, FileTime | null]
  readonly sizeBytes?: number
  /** Where the content of a file lies on the volume, or bytes in its inode; what is not named is holes. */
  readonly pieces?: readonly (
    | (Range & { readonly at: number })
    | { readonly offset: number; readonly bytes: Uint8Array }
  )[]
  readonly target?: Uint8Array
  readonly device?: { readonly major: number; readonly minor: number }
  readonly attributes?: readonly ExtendedAttribute[]
  /** Names (one character a byte) and inode numbers. */
  readonly entries?: ReadonlyMap<string, number>
  readonly unreadable?: 'node' | 'content' | 'attributes' | 'entries'
}

const TIME: FileTime = { seconds: 1_700_000_000, nanoseconds: 1 }

/** A file system of a model by inode number, root 2; links are counted. */
export function modelFileSystem(files: ReadonlyMap<number, ModelFile>): FileSystem {
  const links = new Map<number, number>()
  for (const { entries } of files.values()) {
    for (const number of entries?.values() ?? []) links.set(number, (links.get(number) ?? 0) + 1)
  }
  const find = (number: number): ModelFile => {
    const file = files.get(number)
    assert(file !== undefined, `no file ${number}`)
    return file
  }
  const refuse = (number: number, what: ModelFile['unreadable']): void => {
    if (find(number).unreadable === what) throw new UnmappedError('lie', `Cannot read ${what} of ${number}`)
  }
  return {
    format: 'model',
    label: 'a label',
    uuid: '0-0',
    blockSizeBytes: 4096,
    sizeBytes: 2 ** 40,
    allocation: { proven: true },
    findings: [],
    rootInodeNumber: 2,
    usedRanges: () => assert.fail('not part of a model'),
    readNode: (number) => {
      try {
        refuse(number, 'node')
        return Promise.resolve(nodeOf(number, find(number), links.get(number) ?? 1))
      } catch (error) {
        return Promise.reject(error instanceof Error ? error : new Error('lie'))
      }
    },
    async *readDirectory({ number }): AsyncGenerator<readonly DirectoryEntry[]> {
      const entries = [...(find(number).entries ?? [])].map(([name, inodeNumber]) => ({
        name: Buffer.from(name, 'latin1'),
        inodeNumber,
      }))
      yield await Promise.resolve(entries)
      refuse(number, 'entries')
    },
    async *fileExtents({ number }, range): AsyncGenerator<ExtentBatch> {
      refuse(number, 'content')
      yield await Promise.resolve(extentsOf(find(number), range))
    },
    readSymlink: ({ number }) => Promise.resolve(find(number).target ?? new Uint8Array(0)),
    readAttributes: async ({ number }) => {
      await Promise.resolve()
      refuse(number, 'attributes')
      return find(number).attributes ?? []
    },
  }
}

function nodeOf(number: number, file: ModelFile, linkCount: number): FileNode {
  const [accessed, modified, changed, born] = file.times ?? [TIME, TIME, TIME, TIME]
  return {
    number,
    generation: 7,
    kind: file.kind,
    mode: file.mode ?? 0o644,
    userId: file.userId ?? 0,
    groupId: 0,
    sizeBytes: file.kind === 'symlink' ? (file.target?.byteLength ?? 0) : (file.sizeBytes ?? 0),
    linkCount,
    accessed,
    modified,
    changed,
    born,
    device: file.device ?? null,
  }
}

/** Of a whole file. */
function extentsOf({ pieces = [], sizeBytes = 0 }: ModelFile, range: Range): Extent[] {
  assert.deepEqual(range, { offset: 0, length: sizeBytes })
  const extents: Extent[] = []
  let position = 0
  for (const piece of pieces) {
    const { offset } = piece
    if (offset > position) extents.push({ kind: 'zero', offset: position, length: offset - position })
    if ('bytes' in piece) {
      extents.push({ kind: 'inline', offset, length: piece.bytes.byteLength, bytes: piece.bytes })
      position = offset + piece.bytes.byteLength
    } else {
      const { length, at } = piece
      extents.push({ kind: 'data', offset, length, device: 0, physicalOffset: at })
      position = offset + length
    }
  }
  if (position < sizeBytes) extents.push({ kind: 'zero', offset: position, length: sizeBytes - position })
  return extents
}
