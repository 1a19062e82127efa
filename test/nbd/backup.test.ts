import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { mixedBytes } from '../support/mixed-bytes.ts'
import { nbdRepository } from '../support/nbd-repository.ts'
import { startNbdkit, startQemuNbd } from '../support/nbd-server.ts'
import { runIcecore } from '../support/run-icecore.ts'
import { runTool } from '../support/run-tool.ts'

const MIB = 1024 * 1024

test('backup stores an export of nbdkit, and a second run compares it', async () => {
  using repository = await nbdRepository()
  const { folder } = repository
  const path = folder.join('disk.raw')
  const bytes = mixedBytes('export', 24 * MIB)
  writeFileSync(path, bytes)
  await using server = await startNbdkit(folder, ['file', path])
  const first = await repository.run(['backup', server.uri('vm1'), '--lanes', '3'])
  assert.match(String(first['lineage']), /:nbd:vm1$/)
  await repository.assertRestores(path)
  bytes.fill(7, 5 * MIB, 5 * MIB + 1000)
  writeFileSync(path, bytes)
  const second = await repository.run(['backup', server.uri('vm1')])
  assert.deepEqual(second['done'], { mode: 'compared', transport: 'nbd' })
  await repository.assertRestores(path)
})

test('backup stores an export of a server that has room for one connection only, and then what its bitmap names', async () => {
  using repository = await nbdRepository()
  const { folder } = repository
  const path = folder.join('disk.qcow2')
  runTool('qemu-img', ['create', '-f', 'qcow2', path, '32M'])
  const write = (command: string): string => runTool('qemu-io', ['-f', 'qcow2', '-c', command, path])
  write('write -P 1 0 20M')
  runTool('qemu-img', ['bitmap', '--add', path, 'since-full'])
  const words = ['--format=qcow2', '--read-only', '--bitmap=since-full', '--export-name=vm1', path]
  const asRaw = folder.join('disk.raw')
  const check = async (): Promise<void> => {
    runTool('qemu-img', ['convert', '-O', 'raw', path, asRaw])
    await repository.assertRestores(asRaw)
  }
  {
    await using server = await startQemuNbd(folder, words)
    await repository.run(['backup', server.uri('vm1'), '--lanes', '3'])
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
  const second = await repository.run(['backup', server.uri('vm1'), '--changes', '-'], { input: changes })
  assert.deepEqual(second['done'], { mode: 'incremental', transport: 'nbd' })
  await check()
})

test('backup --path takes files out of an export', async () => {
  using repository = await nbdRepository()
  const { folder } = repository
  mkdirSync(folder.join('tree'))
  writeFileSync(folder.join('tree', 'hello'), 'hello from the export')
  runTool('mke2fs', ['-q', '-t', 'ext4', '-d', folder.join('tree'), folder.join('disk.raw'), '24M'])
  await using server = await startNbdkit(folder, ['file', folder.join('disk.raw')])
  await repository.run(['backup', server.uri('vm1'), '--path', '/hello'])
  const cat = await runIcecore(['cat', 'latest', '/hello', '-r', folder.join('repo')])
  assert.equal(cat.stdout, 'hello from the export')
})

test('map shows what lies on an export', async () => {
  using repository = await nbdRepository()
  const { folder } = repository
  runTool('mke2fs', ['-q', '-t', 'ext4', '-L', 'frozen', folder.join('disk.raw'), '24M'])
  await using server = await startNbdkit(folder, ['file', folder.join('disk.raw')])
  const result = await runIcecore(['map', server.uri()])
  assert.match(result.stdout, /ext4.*frozen/)
})

test('backup says what is wrong with an export', async () => {
  using repository = await nbdRepository()
  const { folder } = repository
  writeFileSync(folder.join('disk.raw'), 'x'.repeat(4096))
  await using server = await startQemuNbd(folder, [
    '--format=raw',
    '--read-only',
    '-x',
    'vm1',
    folder.join('disk.raw'),
  ])
  const wrong = async (words: readonly string[], exitCode: number, code: string): Promise<void> => {
    const result = await repository.icecore(['backup', ...words])
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
  using repository = await nbdRepository()
  const { folder } = repository
  writeFileSync(folder.join('disk.raw'), mixedBytes('failing', 40 * MIB))
  const words = [
    '--filter=error',
    'file',
    folder.join('disk.raw'),
    'error-pread=EIO',
    'error-pread-rate=100%',
  ]
  await using server = await startNbdkit(folder, [...words, `error-file=${folder.join('broken')}`])
  const uri = server.uri()
  await repository.run(['backup', uri])
  writeFileSync(folder.join('broken'), '')
  const failed = await repository.icecore(['backup', uri])
  assert.equal(failed.exitCode, 4, failed.stdout)
  assert.match(failed.stdout, /the NBD server reports EIO/)
  const points = await repository.icecore(['points'])
  assert(Array.isArray(points.json))
  assert.equal(points.json.length, 1)
})
