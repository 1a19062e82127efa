import assert from 'node:assert/strict'
import { test } from 'node:test'

import { startNbdServer, startQemuNbd, type NbdServer } from '../../test/support/nbd-server.ts'
import { openNbd } from '../../test/support/open-nbd.ts'
import { runTool } from '../../test/support/run-tool.ts'
import { temporaryFolder, type TemporaryFolder } from '../../test/support/temporary-folder.ts'
import { ErrorCode } from '../domain/backup-error.ts'
import type { Range, RangeBatch } from '../domain/range.ts'
import { dirtyBitmapContext, dirtyRanges } from './dirty-bitmap.ts'

const MIB = 1024 * 1024
const SIZE = 64 * MIB
const signal = new AbortController().signal

/** A disk of which some was written, then a bitmap was begun, then some more was written. */
function disk(folder: TemporaryFolder): string {
  const path = folder.join('disk.qcow2')
  runTool('qemu-img', ['create', '-f', 'qcow2', path, `${SIZE}`])
  write(path, ['write -P 1 0 8M'])
  runTool('qemu-img', ['bitmap', '--add', '-g', '64k', path, 'since-monday'])
  write(path, ['write -P 2 1M 64k', 'write -P 3 5M 1M', 'write -P 4 63M 1M'])
  return path
}

function write(path: string, commands: readonly string[]): void {
  runTool('qemu-io', ['-f', 'qcow2', ...commands.flatMap((command) => ['-c', command]), path])
}

async function all(batches: AsyncIterable<RangeBatch>): Promise<Range[]> {
  const ranges: Range[] = []
  for await (const batch of batches) ranges.push(...batch)
  return ranges
}

function dirtyByNbdinfo(server: NbdServer, exportName: string, bitmap: string): Range[] {
  const words = ['--json', `--map=qemu:dirty-bitmap:${bitmap}`, server.uri(exportName)]
  const parsed: unknown = JSON.parse(runTool('nbdinfo', words))
  assert(Array.isArray(parsed))
  return parsed.filter(({ type }) => type === 1).map(({ offset, length }) => ({ offset, length }))
}

const WRITTEN = [
  { offset: MIB, length: 64 * 1024 },
  { offset: 5 * MIB, length: MIB },
  { offset: 63 * MIB, length: MIB },
]

test('dirtyRanges() lists what qemu-nbd says was written since the bitmap began', async () => {
  using folder = temporaryFolder()
  const path = disk(folder)
  const words = ['--format=qcow2', '--read-only', '--shared=4', '--bitmap=since-monday', path]
  await using server = await startQemuNbd(folder, words)
  await using image = await openNbd(server.uri(), { contexts: [dirtyBitmapContext('since-monday')] })
  const ranges = dirtyRanges(image, 'since-monday')
  assert.deepEqual(await all(ranges(signal)), WRITTEN)
  assert.deepEqual(dirtyByNbdinfo(server, '', 'since-monday'), WRITTEN)
  assert.deepEqual(await all(ranges(signal)), WRITTEN)
})

test('dirtyRanges() lists what qemu-storage-daemon says was written', async () => {
  using folder = temporaryFolder()
  const path = disk(folder)
  await using server = await startNbdServer(folder, ({ socket, pidFile }) => [
    'qemu-storage-daemon',
    '--pidfile',
    pidFile,
    '--blockdev',
    `driver=file,node-name=file0,filename=${path},read-only=on`,
    '--blockdev',
    'driver=qcow2,node-name=disk0,file=file0,read-only=on',
    '--nbd-server',
    `addr.type=unix,addr.path=${socket}`,
    '--export',
    'type=nbd,id=export0,node-name=disk0,name=vm1,bitmaps.0=since-monday',
  ])
  await using image = await openNbd(server.uri('vm1'), { contexts: [dirtyBitmapContext('since-monday')] })
  const ranges = dirtyRanges(image, 'since-monday')
  assert.deepEqual(await all(ranges(signal)), WRITTEN)
  assert.deepEqual(dirtyByNbdinfo(server, 'vm1', 'since-monday'), WRITTEN)
})

test('dirtyRanges() refuses a bitmap that the server does not serve', async () => {
  using folder = temporaryFolder()
  const path = disk(folder)
  const words = ['--format=qcow2', '--read-only', '--bitmap=since-monday', path]
  await using server = await startQemuNbd(folder, words)
  await using image = await openNbd(server.uri(), {
    contexts: [dirtyBitmapContext('since-monday'), dirtyBitmapContext('since-tuesday')],
  })
  assert.throws(() => dirtyRanges(image, 'since-tuesday'), {
    code: ErrorCode.ChangesUnknown,
    message: /"since-tuesday": the server does not serve it/,
  })
})

test('dirtyRanges() fails where the server cannot say, and does not end early', async () => {
  using folder = temporaryFolder()
  const path = disk(folder)
  await using server = await startQemuNbd(folder, [
    '--format=qcow2',
    '--read-only',
    '--bitmap=since-monday',
    path,
  ])
  await using image = await openNbd(server.uri(), { contexts: [dirtyBitmapContext('since-monday')] })
  const ranges = dirtyRanges(image, 'since-monday')
  await server.kill()
  await assert.rejects(all(ranges(signal)), { code: ErrorCode.ConnectionFailed })
})

test('dirtyBitmapContext() refuses names that no bitmap has', () => {
  for (const name of ['', 'a\nb', 'x'.repeat(1024)])
    assert.throws(() => dirtyBitmapContext(name), SyntaxError)
})
