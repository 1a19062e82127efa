// What the kernel said of single files where it listed them: number, mode, links, device, room, extended attributes.
import { createHash } from 'node:crypto'

import type { ExtendedAttribute, FileNode, FileSystem } from '../../src/formats/file-system.ts'
import type { WalkedFile } from '../support/walk-files.ts'
import { differ } from './differ.ts'
import { textOf } from './tree-digest.ts'

export type FileFacts = {
  readonly path: string
  readonly node: FileNode
  /** One of the names of a file that was met before. */
  readonly isFurtherName: boolean
  readonly attributes: readonly ExtendedAttribute[]
  /** What its data takes, in whole blocks. */
  readonly dataBytes: number
}

const TYPES: Readonly<Record<FileNode['kind'], string>> = {
  file: 'file',
  directory: 'dir',
  symlink: 'symlink',
  fifo: 'special',
  socket: 'special',
  'block-device': 'special',
  'character-device': 'special',
}
/** In the form of `st_mode`. */
const TYPE_BITS: Readonly<Record<FileNode['kind'], number>> = {
  file: 0o100000,
  directory: 0o040000,
  symlink: 0o120000,
  fifo: 0o010000,
  socket: 0o140000,
  'block-device': 0o060000,
  'character-device': 0o020000,
}

export async function readFileFacts(
  { path, node, linkedTo }: WalkedFile,
  fileSystem: FileSystem,
  signal: AbortSignal,
): Promise<FileFacts> {
  const blocks = new Set<number>()
  if (node.kind === 'file' && node.sizeBytes > 0) {
    const range = { offset: 0, length: node.sizeBytes }
    for await (const batch of fileSystem.fileExtents(node, range, signal)) {
      for (const { kind, offset, length } of batch) {
        if (kind !== 'data') continue
        const end = offset + length
        for (let at = offset; at < end; at += fileSystem.blockSizeBytes)
          blocks.add(Math.floor(at / fileSystem.blockSizeBytes))
      }
    }
  }
  const attributes = await fileSystem.readAttributes(node)
  return {
    path: textOf(path),
    node,
    isFurtherName: linkedTo !== null,
    attributes,
    dataBytes: blocks.size * fileSystem.blockSizeBytes,
  }
}

/** Compares each fact that a list has of each file, and that there are no more files than in the list. */
export function checkFileFacts(
  all: readonly FileFacts[],
  list: readonly Readonly<Record<string, unknown>>[],
): string[] {
  const byPath = new Map(all.map((facts) => [facts.path, facts]))
  // The kernel lists names; the other reader inodes, each with one of its names.
  const isOfNames = list.some((expected) => expected['mode'] !== undefined)
  const found = all.filter(({ path, isFurtherName }) => path !== '' && (isOfNames || !isFurtherName))
  const problems = differ('count of files, special ones among them', found.length, list.length)
  for (const expected of list) {
    const path = String(expected['path'])
    const facts = byPath.get(path)
    if (facts === undefined) problems.push(`"${path}" is missing`)
    else problems.push(...checkFile(facts, expected))
  }
  return problems
}

function checkFile(
  { path, node, attributes, dataBytes }: FileFacts,
  expected: Readonly<Record<string, unknown>>,
): string[] {
  const { major, minor } = node.device ?? { major: 0, minor: 0 }
  const found: Readonly<Record<string, unknown>> = {
    ino: node.number,
    mode: `0o${((node.mode & 0o7777) | TYPE_BITS[node.kind]).toString(8)}`,
    nlink: node.linkCount,
    type: TYPES[node.kind],
    // As Linux packs both into one number, as long as they are small.
    rdev: major * 256 + minor,
    xattrs: attributes.length,
    xattrs_sha256: attributesDigest(attributes),
  }
  const problems = Object.entries(found).flatMap(([name, value]) => {
    // "other" is what a reader could not open.
    const isStated = expected[name] !== undefined && expected[name] !== 'other'
    return isStated ? differ(`${name} of "${path}"`, value, expected[name]) : []
  })
  // Where the list is the kernel's, nothing said of attributes is to say that there are none.
  if (expected['mode'] !== undefined && expected['xattrs'] === undefined)
    problems.push(...differ(`xattrs of "${path}"`, attributes.length, 0))
  // Trees, blocks of attributes and what is unwritten come on top of the data.
  const blocks512 = expected['blocks512']
  if (typeof blocks512 === 'number' && dataBytes > blocks512 * 512)
    problems.push(`data of "${path}" takes ${dataBytes} bytes, expected at most ${blocks512} blocks of 512`)
  return problems
}

function attributesDigest(attributes: readonly ExtendedAttribute[]): string {
  const items = attributes.map(({ name, value }) => Buffer.concat([name, Buffer.from('='), value]))
  const sorted = items.toSorted((a, b) => Buffer.compare(a, b))
  const zero = Buffer.from([0])
  const bytes = Buffer.concat(sorted.flatMap((item, index) => (index === 0 ? [item] : [zero, item])))
  return createHash('sha256').update(bytes).digest('hex')
}
