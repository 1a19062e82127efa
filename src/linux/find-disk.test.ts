import assert from 'node:assert/strict'
import { mkdir, mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { ErrorCode, isBackupError } from '../domain/backup-error.ts'
import type { DeviceIdentity } from '../domain/device-identity.ts'
import { locateDisk } from './find-disk.ts'

const NAME = 'wwn:naa.600140512345678'
const IDENTITY = { name: NAME, sizeBytes: 1024 * 512, sectorSizeBytes: 512 }

type Shown = { readonly wwid?: string; readonly uuid?: string; readonly over?: readonly string[] }
type Odds = { readonly sectors?: number; readonly sectorSize?: number; readonly hidden?: boolean }

/** A /sys of the test's own: the rules are about what the kernel shows there. */
async function sysWith(
  disks: Readonly<Record<string, Shown & Odds>>,
): Promise<{ root: string } & AsyncDisposable> {
  const folder = await mkdtempDisposable(join(tmpdir(), 'icecore-sys-'))
  for (const [number, [name, disk]] of Object.entries(disks).entries()) {
    const put = async (path: string, text: string): Promise<void> => {
      const file = join(folder.path, 'block', name, path)
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, `${text}\n`)
    }
    await put('dev', `8:${number}`)
    await put('size', String(disk.sectors ?? 1024))
    await put('queue/logical_block_size', String(disk.sectorSize ?? 512))
    if (disk.hidden === true) await put('hidden', '1')
    if (disk.wwid !== undefined) await put('device/wwid', disk.wwid)
    if (disk.uuid !== undefined) await put('dm/uuid', disk.uuid)
    for (const path of disk.over ?? []) await put(`slaves/${path}/device/wwid`, disks[path]?.wwid ?? '')
  }
  return { root: folder.path, [Symbol.asyncDispose]: () => folder.remove() }
}

const path = { wwid: 'naa.600140512345678' }

async function refusal(
  disks: Readonly<Record<string, Shown & Odds>>,
  identity: DeviceIdentity = IDENTITY,
): Promise<string> {
  await using sys = await sysWith(disks)
  try {
    await locateDisk(identity, sys.root)
  } catch (error) {
    assert.ok(isBackupError(error))
    return `${error.code}: ${error.message}`
  }
  return 'found'
}

test('locateDisk() finds a disk by its name alone, whatever it is called here', async () => {
  await using sys = await sysWith({ sda: { wwid: 'naa.other' }, sdq: path })
  const disk = await locateDisk(IDENTITY, sys.root)
  assert.deepEqual([disk.path, disk.deviceNumber, disk.isMultipath], ['/dev/sdq', '8:1', false])
})

test('locateDisk() takes the multipath map in the place of its paths', async () => {
  await using sys = await sysWith({
    'dm-3': { uuid: 'mpath-3600140512345678', over: ['sda', 'sdb'] },
    sda: path,
    sdb: path,
  })
  const disk = await locateDisk(IDENTITY, sys.root)
  assert.deepEqual([disk.path, disk.isMultipath], ['/dev/dm-3', true])
})

test('locateDisk() refuses disks of one name that are not all paths of one map', async () => {
  const both = await refusal({ sda: path, sdb: path })
  assert.match(both, /^SOURCE_UNSUITABLE: .*2 have this name \(\/dev\/sda, \/dev\/sdb\)/)
  const beside = await refusal({
    'dm-3': { uuid: 'mpath-3600140512345678', over: ['sda'] },
    sda: path,
    sdb: path,
  })
  assert.match(beside, /2 have this name \(\/dev\/dm-3, \/dev\/sdb\)/)
})

test('locateDisk() says what it looked for and which disks there are', async () => {
  const found = await refusal({ sda: { wwid: 'naa.other' }, loop0: {} })
  assert.match(
    found,
    /^SOURCE_MISSING: Cannot find disk "wwn:naa\.600140512345678" on this host: there are wwn:naa\.other \(\/dev\/sda\);/,
  )
  assert.match(await refusal({ loop0: {} }), /none that has a name is there/)
})

test('locateDisk() refuses another size, other sectors, and a disk without a name', async () => {
  assert.match(await refusal({ sda: { ...path, sectors: 2048 } }), /it has 1048576 bytes, expected 524288/)
  assert.match(
    await refusal({ sda: { ...path, sectorSize: 4096 } }),
    /its sectors have 4096 bytes, expected 512/,
  )
  assert.match(await refusal({ sda: path }, { ...IDENTITY, name: null }), /knows no name/)
})

test('locateDisk() passes over the hidden paths of an NVMe namespace', async () => {
  await using sys = await sysWith({ nvme0c0n1: { ...path, hidden: true }, nvme0n1: path })
  assert.equal((await locateDisk(IDENTITY, sys.root)).path, '/dev/nvme0n1')
})

test('locateDisk() finds no disk by the name of another kind', async () => {
  const found = await refusal({ sda: { wwid: 'x' } }, { ...IDENTITY, name: 'virtio:x' })
  assert.equal(found.split(':')[0], ErrorCode.SourceMissing)
})
