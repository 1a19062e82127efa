import assert from 'node:assert/strict'
import { closeSync, openSync, statSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { cloningFileSystem, needsCloning } from '../../test/support/cloning-file-system.ts'
import { runTool } from '../../test/support/run-tool.ts'
import { fiemapOf } from './fiemap.ts'
import type { FileExtent } from '../domain/file-clone.ts'

const UNIT = 512
const UNWRITTEN = 0x800
const SHARED = 0x2000
const { signal } = new AbortController()

/** What xfs_io says: `   0: [0..15]:      192..207          16 0x2001`, and lines of holes. */
function told(path: string): readonly FileExtent[] {
  const sizeBytes = statSync(path).size
  const lines = runTool('xfs_io', ['-r', '-c', 'fiemap -v', path]).split('\n')
  return lines.flatMap((line) => {
    const match = /\[(\d+)\.\.(\d+)\]:\s+(\d+)\.\.\d+\s+\d+\s+0x([0-9a-f]+)/.exec(line)
    if (match === null) return []
    const [start = 0, end = 0, physical = 0] = match.slice(1, 4).map(Number)
    const flags = Number.parseInt(match[4] ?? '', 16)
    // XFS allocates beyond the end of a file that grows.
    const stop = Math.min((end + 1) * UNIT, sizeBytes)
    if (start * UNIT >= sizeBytes) return []
    return {
      offset: start * UNIT,
      length: stop - start * UNIT,
      place: flags & UNWRITTEN ? 'unwritten' : 'exact',
      physicalOffset: physical * UNIT,
      shared: (flags & SHARED) !== 0,
    }
  })
}

async function found(path: string): Promise<readonly FileExtent[]> {
  const fd = openSync(path, 'r')
  try {
    const extents: FileExtent[] = []
    const range = { offset: 0, length: statSync(path).size }
    for await (const batch of fiemapOf(fd, range, signal)) extents.push(...batch)
    return extents
  } finally {
    closeSync(fd)
  }
}

for (const kind of ['xfs', 'btrfs'] as const) {
  test(`fiemapOf() tells what xfs_io tells of files on ${kind}`, { skip: needsCloning(kind) }, async () => {
    using mounted = cloningFileSystem(kind)
    const path = mounted.join('file')
    writeFileSync(path, '')
    const steps = ['falloc 0 6m', 'pwrite 1m 64k', 'fpunch 3m 512k', 'pwrite 10m 8k', 'fsync']
    for (const command of steps) runTool('xfs_io', ['-c', command, path])
    // Every other page, so that more than one call is needed.
    const writes = Array.from({ length: 1500 }, (_, index) => [
      '-c',
      `pwrite ${(5000 + 2 * index) * 4096} 4k`,
    ])
    runTool('xfs_io', [...writes.flat(), '-c', 'fsync', path])
    const clone = mounted.join('clone')
    runTool('cp', ['--reflink=always', path, clone])
    runTool('xfs_io', ['-c', 'pwrite 1m 4k', '-c', 'fsync', path])
    for (const one of [path, clone]) {
      const extents = await found(one)
      assert.deepEqual(extents, told(one))
      assert.ok(extents.length > 1500, `${extents.length} extents`)
      assert.ok(extents.some(({ shared }) => shared))
    }
  })
}
