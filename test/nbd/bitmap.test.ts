import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { nbdRepository, type NbdRepository } from '../support/nbd-repository.ts'
import { startNbdServer, startQemuNbd, type NbdServer } from '../support/nbd-server.ts'
import { runTool } from '../support/run-tool.ts'

const LINEAGE = ['--name', 'vm1']

/** A disk with 20 MiB of data, and a bitmap that begins after them. */
function makeDisk(path: string): void {
  runTool('qemu-img', ['create', '-q', '-f', 'qcow2', path, '32M'])
  write(path, 'write -P 1 0 20M')
  runTool('qemu-img', ['bitmap', '--add', path, 'since'])
}

function write(path: string, command: string): void {
  runTool('qemu-io', ['-f', 'qcow2', '-c', command, path])
}

/** It has room for one connection at a time, as it comes. */
async function serve({ folder }: NbdRepository, path: string): Promise<NbdServer> {
  const words = ['--format=qcow2', '--read-only', '--bitmap=since', '--export-name=vm1', path]
  return await startQemuNbd(folder, words)
}

async function assertRestores(repository: NbdRepository, path: string): Promise<void> {
  const raw = repository.folder.join('expected.raw')
  runTool('qemu-img', ['convert', '-O', 'raw', path, raw])
  await repository.assertRestores(raw)
}

function codesOf({ degraded }: Record<string, unknown>): readonly unknown[] {
  assert(Array.isArray(degraded))
  return degraded.map(({ code }) => code)
}

function firstObject({ objects }: Record<string, unknown>): Record<string, unknown> {
  assert(Array.isArray(objects))
  return objects[0]
}

test('backup --bitmap reads what the bitmap names, also of a disk that grew', async () => {
  using repository = await nbdRepository()
  const disk = repository.folder.join('disk.qcow2')
  makeDisk(disk)
  {
    await using server = await serve(repository, disk)
    const words = ['backup', server.uri('vm1'), ...LINEAGE, '--bitmap', 'since']
    const first = await repository.run(words, { exitCode: 3 })
    assert.deepEqual(codesOf(first), ['BASE_MISSING'])
    assert.deepEqual(first['requested'], { mode: 'incremental', transport: 'nbd' })
    assert.deepEqual(first['done'], { mode: 'full', transport: 'nbd' })
  }
  write(disk, 'write -P 2 3M 100k')
  runTool('qemu-img', ['resize', '-q', disk, '40M'])
  write(disk, 'write -P 3 39M 64k')
  await using server = await serve(repository, disk)
  const words = ['backup', server.uri('vm1'), ...LINEAGE, '--bitmap', 'since', '--witnesses', '8']
  const second = await repository.run(words)
  assert.deepEqual(second['done'], { mode: 'incremental', transport: 'nbd' })
  assert.ok(Number(firstObject(second)['readBytes']) < 4 * 1024 * 1024)
  await assertRestores(repository, disk)
})

test('backup --bitmap makes no point where the bitmap cannot be had, and says what to do', async () => {
  using repository = await nbdRepository()
  const disk = repository.folder.join('disk.qcow2')
  makeDisk(disk)
  await using server = await serve(repository, disk)
  const words = ['backup', server.uri('vm1'), ...LINEAGE, '--bitmap', 'another']
  await repository.run(words, { exitCode: 3 }) // There is no base, so that nobody asks for the bitmap.
  const result = await repository.icecore(words)
  assert.equal(result.exitCode, 4, result.stdout)
  assert.match(result.stdout, /"CHANGES_UNKNOWN"/)
  assert.match(result.stdout, /bitmap \\"another\\": the server does not serve it/)
  const points = await repository.icecore(['points'])
  assert(Array.isArray(points.json))
  assert.equal(points.json.length, 1)
})

test('backup --bitmap refuses what no bitmap can be for', async () => {
  using repository = await nbdRepository()
  const uri = 'nbd+unix:///vm1?socket=/nobody'
  const raw = repository.folder.join('disk.raw')
  writeFileSync(raw, 'x'.repeat(4096))
  for (const [words, message] of [
    [[uri, '--path', '/etc'], /--bitmap with --path/],
    [[uri, '--changes', '-'], /--bitmap with --changes/],
    [[uri, raw], /--bitmap with .*disk\.raw.*: it is for exports of NBD servers/],
    [[uri, '--bitmap', 'a\tb'], /a name has 1 to 1023 bytes without control characters/],
  ] as const) {
    const result = await repository.icecore(['backup', '--bitmap', 'since', ...words])
    assert.equal(result.exitCode, 2, result.stdout)
    assert.match(result.stdout, message)
  }
})

/** What finds out a bitmap, and how the run calls it. */
type Evidence = {
  readonly name: string
  readonly words: readonly string[]
  readonly codes: readonly string[]
}
type Fault = { readonly what: string; readonly damage: (disk: string) => void; readonly by: Evidence }

const WITNESSES: Evidence = { name: 'witnesses', words: [], codes: ['CHANGE_LIST_REFUTED'] }

/** What can become of a bitmap between two backups, so that it does not tell of 2 MiB that were written. */
const FAULTS: readonly Fault[] = [
  {
    what: 'was cleared in between',
    damage(disk) {
      write(disk, 'write -P 2 4M 2M')
      runTool('qemu-img', ['bitmap', '--clear', disk, 'since'])
    },
    by: WITNESSES,
  },
  {
    what: 'begins too late',
    damage(disk) {
      write(disk, 'write -P 2 10M 2M')
      runTool('qemu-img', ['bitmap', '--remove', '--add', disk, 'since'])
      write(disk, 'write -P 3 1M 1M')
    },
    by: {
      name: 'the rotating share alone',
      words: ['--witnesses', '0', '--rotation', '1'],
      codes: ['WITNESSES_OFF', 'CHANGE_LIST_REFUTED'],
    },
  },
]

for (const { what, damage, by } of FAULTS) {
  test(`backup --bitmap finds out a bitmap that ${what} by ${by.name}, and the point is right`, async () => {
    using repository = await nbdRepository()
    const disk = repository.folder.join('disk.qcow2')
    makeDisk(disk)
    {
      await using server = await serve(repository, disk)
      await repository.run(['backup', server.uri('vm1'), ...LINEAGE])
    }
    damage(disk)
    await using server = await serve(repository, disk)
    await assertRefuted(repository, { server, disk, by })
  })
}

/** Both disks in one server, each as the export of its number. */
async function serveTwo(
  { folder }: NbdRepository,
  disks: readonly string[],
  bitmapOf: (index: number) => number,
): Promise<NbdServer> {
  const nodes = disks.flatMap((path, index) => [
    '--blockdev',
    `driver=file,node-name=file${index},filename=${path},read-only=on`,
    '--blockdev',
    `driver=qcow2,node-name=disk${index},file=file${index},read-only=on`,
  ])
  const exports = disks.flatMap((_path, index) => [
    '--export',
    `type=nbd,id=vm${index},node-name=disk${index},name=vm${index},bitmaps.0.node=disk${bitmapOf(index)},bitmaps.0.name=since`,
  ])
  return await startNbdServer(folder, ({ socket, pidFile }) => [
    'qemu-storage-daemon',
    '--pidfile',
    pidFile,
    ...nodes,
    '--nbd-server',
    `addr.type=unix,addr.path=${socket},max-connections=16`,
    ...exports,
  ])
}

function makeTwo({ folder }: NbdRepository): readonly [string, string] {
  const disks = [folder.join('disk0.qcow2'), folder.join('disk1.qcow2')] as const
  for (const disk of disks) makeDisk(disk)
  return disks
}

test('backup --bitmap reads of several exports what the bitmap of each names', async () => {
  using repository = await nbdRepository()
  const disks = makeTwo(repository)
  {
    await using server = await serveTwo(repository, disks, (index) => index)
    await repository.run(['backup', server.uri('vm0'), server.uri('vm1'), ...LINEAGE])
  }
  write(disks[0], 'write -P 2 4M 2M')
  write(disks[1], 'write -P 3 8M 2M')
  await using server = await serveTwo(repository, disks, (index) => index)
  const words = ['backup', server.uri('vm0'), server.uri('vm1'), ...LINEAGE, '--bitmap', 'since']
  const second = await repository.run(words)
  assert.deepEqual(second['done'], { mode: 'incremental', transport: 'nbd' })
  const { objects } = second
  assert(Array.isArray(objects))
  assert.deepEqual(
    objects.map(({ changedBytes }) => changedBytes),
    [2, 2].map((mib) => mib * 1024 * 1024),
  )
})

test('backup --bitmap finds out the bitmap of another disk, and the point is right', async () => {
  using repository = await nbdRepository()
  const disks = makeTwo(repository)
  {
    await using server = await serveTwo(repository, disks, (index) => index)
    await repository.run(['backup', server.uri('vm1'), ...LINEAGE])
  }
  write(disks[0], 'write -P 2 8M 2M')
  write(disks[1], 'write -P 2 4M 2M')
  await using server = await serveTwo(repository, disks, (index) => 1 - index)
  await assertRefuted(repository, { server, disk: disks[1], by: WITNESSES })
})

async function assertRefuted(
  repository: NbdRepository,
  { server, disk, by }: { readonly server: NbdServer; readonly disk: string; readonly by: Evidence },
): Promise<void> {
  const words = ['backup', server.uri('vm1'), ...LINEAGE, '--bitmap', 'since', ...by.words]
  const result = await repository.run(words, { exitCode: 3 })
  assert.deepEqual(codesOf(result), by.codes)
  assert.deepEqual(result['requested'], { mode: 'incremental', transport: 'nbd' })
  assert.deepEqual(result['done'], { mode: 'compared', transport: 'nbd' })
  await assertRestores(repository, disk)
}
