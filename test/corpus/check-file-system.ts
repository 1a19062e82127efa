// What a file system's reader says, against what the tools said of the same image. Compared are: label, UUID, size, block size;
// what is free, block by block, where a checker calls the file system clean; and of a clean one every path with its
// type, size, digest of its content, and target.
import { createHash } from 'node:crypto'

import type { Range } from '../../src/domain/range.ts'
import type { FileSystemSurvey } from '../support/survey/survey-file-system.ts'
import { differ } from './differ.ts'
import type { VolumeFacts } from './manifest.ts'
import { treeDigest, type TreeEntry } from './tree-digest.ts'

/** The problems that were found, as sentences. */
export function checkFileSystem(
  survey: FileSystemSurvey,
  facts: VolumeFacts,
  entries: readonly TreeEntry[],
): string[] {
  return [...checkExt(survey, facts), ...checkXfs(survey, facts), ...checkTree(entries, facts)]
}

function checkExt({ fileSystem, free }: FileSystemSurvey, { dumpe2fs, e2fsck_fn }: VolumeFacts): string[] {
  if (dumpe2fs?.exit !== 0 || dumpe2fs.block_size === undefined || !fileSystem.format.startsWith('ext'))
    return []
  const { block_size: blockBytes, block_count: blockCount = 0, label, uuid } = dumpe2fs
  const problems = [
    ...differ('label', fileSystem.label, label === '<none>' ? '' : label),
    // No UUID at all is a word for the tool.
    ...differ('UUID', fileSystem.uuid, uuid === '<none>' ? '00000000-0000-0000-0000-000000000000' : uuid),
    ...differ('block size', fileSystem.blockSizeBytes, blockBytes),
    ...differ('size', fileSystem.sizeBytes, blockBytes * blockCount),
  ]
  if (e2fsck_fn?.exit !== 0 || !fileSystem.allocation.proven) return problems
  const ranges = free.map(({ offset, length }) => [offset / blockBytes, (offset + length) / blockBytes - 1])
  const digest = createHash('sha256').update(JSON.stringify(ranges)).digest('hex')
  return [...problems, ...differ('digest of free blocks', digest, dumpe2fs.free_ranges_sha256)]
}

function checkXfs(
  { fileSystem, free }: FileSystemSurvey,
  { xfs_db_sb: superblock, xfs_freesp: freeSpace, xfs_repair_n }: VolumeFacts,
): string[] {
  if (superblock?.exit !== 0 || xfs_repair_n?.exit !== 0 || fileSystem.format !== 'xfs') return []
  const blockBytes = Number(superblock['blocksize'])
  const problems = [
    ...differ('UUID', fileSystem.uuid, superblock['uuid']),
    ...differ('block size', fileSystem.blockSizeBytes, blockBytes),
    ...differ('size', fileSystem.sizeBytes, blockBytes * Number(superblock['dblocks'])),
    ...differ('root inode', fileSystem.rootInodeNumber, Number(superblock['rootino'])),
  ]
  if (freeSpace?.exit !== 0 || !fileSystem.allocation.proven) return problems
  const agCount = Number(superblock['agcount'])
  const found = free.reduce((sum, { length }) => sum + length / blockBytes, 0)
  // The tool calls the blocks of an AG's free list free, a dozen at most; they belong to the trees.
  const listed = (freeSpace.blocks ?? 0) - found
  if (listed < 0 || listed > agCount * 12)
    problems.push(`${found} blocks are free, expected ${freeSpace.blocks}`)
  if (freeSpace.truncated === true) return problems
  const agBytes = Number(superblock['agblocks']) * blockBytes
  const expected = (freeSpace.agno_agbno_len ?? []).map(([ag, block, length]) => ({
    offset: ag * agBytes + block * blockBytes,
    length: length * blockBytes,
  }))
  const beyond = free.find((range) => !isWithin(range, expected))
  if (beyond !== undefined) problems.push(`${beyond.length} bytes at ${beyond.offset} are not free`)
  return problems
}

/** Neighbours in the list are not joined. */
function isWithin(range: Range, list: readonly Range[]): boolean {
  let position = range.offset
  for (const { offset, length } of list) {
    if (offset <= position && position < offset + length) position = offset + length
  }
  return position >= range.offset + range.length
}

function checkTree(entries: readonly TreeEntry[], { files_rdump: tree, dumpe2fs }: VolumeFacts): string[] {
  // The tool reads what the journal would have changed.
  if (tree === undefined || dumpe2fs?.features?.includes('needs_recovery') === true) return []
  return [
    ...differ('count of files', entries.length, tree.count),
    ...differ('digest of the tree', treeDigest(entries), tree.tree_sha256),
  ]
}

/** A list of files that the kernel or another reader made, each entry compared in what it says of its content. */
export function checkFileList(
  entries: readonly TreeEntry[],
  list: readonly Readonly<Record<string, unknown>>[],
): string[] {
  const byPath = new Map(entries.map((entry) => [entry.path, entry]))
  const problems: string[] = []
  for (const expected of list) {
    const path = String(expected['path'])
    const type = String(expected['type'])
    const entry = byPath.get(path)
    if (type === 'other') continue
    if (entry === undefined) {
      // Files that are neither are in the list, not in ours.
      if (['dir', 'file', 'symlink'].includes(type)) problems.push(`"${path}" is missing`)
      continue
    }
    problems.push(...differ(`type of "${path}"`, entry.type, type))
    for (const field of ['size', 'sha256', 'target'] as const) {
      if (entry[field] !== undefined && expected[field] !== undefined) {
        problems.push(...differ(`${field} of "${path}"`, entry[field], expected[field]))
      }
    }
  }
  return problems
}
