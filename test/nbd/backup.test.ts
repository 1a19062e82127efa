import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { mixedBytes } from '../support/mixed-bytes.ts'
import { startNbdkit, startQemuNbd } from '../support/nbd-server.ts'
import { runIcecore, type IcecoreResult } from '../support/run-icecore.ts'
import { runTool } from '../support/run-tool.ts'
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.ts'

const MIB = 1024 * 1024

async function icecore(
  folder: TemporaryFolder,
  words: readonly string[],
  input?: string,
): Promise<IcecoreResult> {
  const environment = { ICECORE_REPOSITORY: folder.join('repo'), XDG_CACHE_HOME: folder.join('cache') }
  return await runIcecore([...words, '--json'], { environment, ...(input === undefined ? {} : { input }) })
}

async function sound(
  folder: TemporaryFolder,
  words: readonly string[],
  input?: string,
): Promise<Record<string, unknown>> {
  const result = await icecore(folder, words, input)
  assert.equal(result.exitCode, 0, result.stderr)
  assert(typeof result.json === 'object' && result.json !== null)
  return { ...result.json }
}

async function makeRepository(folder: TemporaryFolder): Promise<void> {
  await sound(folder, ['init', folder.join('repo'), '--no-encryption'])
}

async function assertRestores(folder: TemporaryFolder, path: string): Promise<void> {
  await sound(folder, ['restore', 'latest', '--to', folder.join('out.raw'), '--overwrite'])
  assert.equal(Buffer.compare(readFileSync(folder.join('out.raw')), readFileSync(path)), 0)
}

test('backup stores an export of nbdkit, and a second run compares it', async () => {
  using folder = temporaryFolder()
  const path = folder.join('disk.raw')
  const bytes = mixedBytes('export', 24 * MIB)
  writeFileSync(path, bytes)
  await using server = await startNbdkit(folder, ['file', path])
  await makeRepository(folder)
  const first = await sound(folder, ['backup', server.uri('vm1'), '--lanes', '3'])
  assert.match(String(first['lineage']), /:nbd:vm1$/)
  await assertRestores(folder, path)
  bytes.fill(7, 5 * MIB, 5 * MIB + 1000)
  writeFileSync(path, bytes)
  const second = await sound(folder, ['backup', server.uri('vm1')])
  assert.deepEqual(second['done'], { mode: 'compared', transport: 'local' })
  await assertRestores(folder, path)
})

test('backup stores an export of a server that has room for one connection only, and then what its bitmap names', async () => {
  using folder = temporaryFolder()
  const path = folder.join('disk.qcow2')
  runTool('qemu-img', ['create', '-f', 'qcow2', path, '32M'])
  const write = (command: string): string => runTool('qemu-io', ['-f', 'qcow2', '-c', command, path])
  write('write -P 1 0 20M')
  runTool('qemu-img', ['bitmap', '--add', path, 'since-full'])
  const words = ['--format=qcow2', '--read-only', '--bitmap=since-full', '--export-name=vm1', path]
  const asRaw = folder.join('disk.raw')
  const check = async (): Promise<void> => {
    runTool('qemu-img', ['convert', '-O', 'raw', path, asRaw])
    await assertRestores(folder, asRaw)
  }
  await makeRepository(folder)
  {
    await using server = await startQemuNbd(folder, words)
    await sound(folder, ['backup', server.uri('vm1'), '--lanes', '3'])
    await check()
  }
  write('write -P 2 3M 100k')
  write('write -P 3 31M 1M')
  await using server = await startQemuNbd(folder, words)
  const map: unknown = JSON.parse(
    runTool('nbdinfo', ['--json', '--map=qemu:dirty-bitmap:since-full', server.uri('vm1')]),
  )
  assert(Array.isArray(map))
  const changes = JSON.stringify(map.filter(({ type }) => type === 1))
  const second = await sound(folder, ['backup', server.uri('vm1'), '--changes', '-'], changes)
  assert.deepEqual(second['done'], { mode: 'incremental', transport: 'local' })
  await check()
})

test('backup --path takes files out of an export', async () => {
  using folder = temporaryFolder()
  mkdirSync(folder.join('tree'))
  writeFileSync(folder.join('tree', 'hello'), 'hello from the export')
  runTool('mke2fs', ['-q', '-t', 'ext4', '-d', folder.join('tree'), folder.join('disk.raw'), '24M'])
  await using server = await startNbdkit(folder, ['file', folder.join('disk.raw')])
  await makeRepository(folder)
  await sound(folder, ['backup', server.uri('vm1'), '--path', '/hello'])
  const cat = await runIcecore(['cat', 'latest', '/hello', '-r', folder.join('repo')])
  assert.equal(cat.stdout, 'hello from the export')
})

test('map shows what lies on an export', async () => {
  using folder = temporaryFolder()
  runTool('mke2fs', ['-q', '-t', 'ext4', '-L', 'frozen', folder.join('disk.raw'), '24M'])
  await using server = await startNbdkit(folder, ['file', folder.join('disk.raw')])
  const result = await runIcecore(['map', server.uri()])
  assert.match(result.stdout, /ext4.*frozen/)
})

test('backup says what is wrong with an export', async () => {
  using folder = temporaryFolder()
  await makeRepository(folder)
  writeFileSync(folder.join('disk.raw'), 'x'.repeat(4096))
  await using server = await startQemuNbd(folder, [
    '--format=raw',
    '--read-only',
    '-x',
    'vm1',
    folder.join('disk.raw'),
  ])
  const wrong = async (words: readonly string[], exitCode: number, code: string): Promise<void> => {
    const result = await icecore(folder, ['backup', ...words])
    assert.equal(result.exitCode, exitCode, result.stdout)
    const { error } = { error: {}, ...(typeof result.json === 'object' ? result.json : {}) }
    assert.equal({ code: '', ...error }.code, code)
  }
  await wrong([server.uri('vm2')], 4, 'SOURCE_MISSING')
  await wrong([`nbd+unix:///?socket=${folder.join('nobody')}`], 7, 'CONNECTION_FAILED')
  await wrong([server.uri('vm1').replace('nbd+', 'nbds+')], 7, 'CONNECTION_FAILED')
  await wrong(['nbd://host:0/x'], 2, 'USAGE_WRONG')
  await wrong([server.uri('vm1'), '--tls-ca', folder.join('disk.raw')], 2, 'USAGE_WRONG')
})

test('backup makes no point of an export that fails to read, or goes away', async () => {
  using folder = temporaryFolder()
  writeFileSync(folder.join('disk.raw'), mixedBytes('failing', 40 * MIB))
  await makeRepository(folder)
  const words = [
    '--filter=error',
    'file',
    folder.join('disk.raw'),
    'error-pread=EIO',
    'error-pread-rate=100%',
  ]
  await using server = await startNbdkit(folder, [...words, `error-file=${folder.join('broken')}`])
  const uri = server.uri()
  await sound(folder, ['backup', uri])
  writeFileSync(folder.join('broken'), '')
  const failed = await icecore(folder, ['backup', uri])
  assert.equal(failed.exitCode, 4, failed.stdout)
  assert.match(failed.stdout, /the NBD server reports EIO/)
  const points = await icecore(folder, ['points'])
  assert(Array.isArray(points.json))
  assert.equal(points.json.length, 1)
})
