import assert from 'node:assert/strict'

import type { DirectoryEntry, FileNode, FileSystem } from '../../src/formats/file-system.ts'

const TIME = { seconds: 0, nanoseconds: 0 }

/** An error is thrown; a list is a directory of `name=number`, in which an error ends the reading; the rest is a file. */
export type FakeFile =
  | Error
  | readonly (string | Error)[]
  | string
  | { readonly kind: 'file' | 'symlink'; readonly linkCount?: number; readonly target?: string }

/** A tree by inode number, root 2, for tests of what reads any file system. */
export async function fakeFileSystem(
  files: Readonly<Record<number, FakeFile>>,
): Promise<{ readonly fileSystem: FileSystem; readonly root: FileNode }> {
  const fileSystem: FileSystem = {
    format: 'fake',
    label: '',
    uuid: '',
    blockSizeBytes: 4096,
    sizeBytes: 4096,
    allocation: { proven: true },
    findings: [],
    rootInodeNumber: 2,
    usedRanges: notPartOfIt,
    fileExtents: notPartOfIt,
    readAttributes: () => Promise.resolve([]),
    readNode: (number) => {
      const file = files[number]
      assert(file !== undefined, `no file ${number}`)
      return file instanceof Error ? Promise.reject(file) : Promise.resolve(nodeOf(number, file))
    },
    readDirectory: (node) => entriesOf(files[node.number]),
    readSymlink: (node) => {
      const file = files[node.number]
      assert(file !== undefined && typeof file === 'object' && 'target' in file)
      return Promise.resolve(Buffer.from(file.target ?? ''))
    },
  }
  return { fileSystem, root: await fileSystem.readNode(2) }
}

function notPartOfIt(): never {
  assert.fail('not part of a fake file system')
}

function nodeOf(number: number, file: FakeFile): FileNode {
  const isObject = typeof file === 'object' && 'kind' in file
  const other = isObject ? file.kind : 'file'
  return {
    number,
    generation: 0,
    kind: Array.isArray(file) ? 'directory' : other,
    mode: 0o644,
    userId: 0,
    groupId: 0,
    sizeBytes: 0,
    linkCount: isObject ? (file.linkCount ?? 1) : 1,
    accessed: TIME,
    modified: TIME,
    changed: TIME,
    born: null,
    device: null,
  }
}

async function* entriesOf(file: FakeFile | undefined): AsyncGenerator<readonly DirectoryEntry[]> {
  assert(Array.isArray(file))
  const entries: DirectoryEntry[] = []
  for (const entry of file) {
    if (entry instanceof Error) {
      yield entries.splice(0)
      throw entry
    }
    const [name = '', number] = String(entry).split('=')
    entries.push({ name: Buffer.from(name), inodeNumber: Number(number) })
  }
  yield await Promise.resolve(entries)
}
