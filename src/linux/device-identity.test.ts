import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { nameInFolder } from './device-identity.ts'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'

/** The name of a device whose folder in /sys holds these files. */
async function nameWith(files: Readonly<Record<string, string>>, device: string): Promise<string | null> {
  using folder = temporaryFolder()
  for (const [path, text] of Object.entries(files)) {
    const file = join(folder.path, path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text)
  }
  return await nameInFolder(join(folder.path, device))
}

test('nameInFolder() reads what each kind of disk has', async () => {
  assert.equal(
    await nameWith({ 'sda/device/wwid': 'naa.600140512345678\n' }, 'sda'),
    'wwn:naa.600140512345678',
  )
  assert.equal(await nameWith({ 'nvme0n1/wwid': 'eui.0025385\n' }, 'nvme0n1'), 'nvme:eui.0025385')
  assert.equal(await nameWith({ 'dm-0/dm/uuid': 'LVM-abc\n' }, 'dm-0'), 'dm:LVM-abc')
  assert.equal(await nameWith({ 'vda/serial': 'disk-17\n' }, 'vda'), 'virtio:disk-17')
})

test('nameInFolder() replaces the spaces that vendors pad with', async () => {
  const wwid = 't10.ATA     QEMU HARDDISK    QM00001 \n'
  assert.equal(await nameWith({ 'sda/device/wwid': wwid }, 'sda'), 'wwn:t10.ATA_QEMU_HARDDISK_QM00001')
})

test('nameInFolder() names a partition after its disk', async () => {
  const files = { 'sda/device/wwid': 'naa.6001\n', 'sda/sda2/partition': '2\n' }
  assert.equal(await nameWith(files, 'sda/sda2'), 'wwn:naa.6001-part2')
})

test('nameInFolder() knows when there is no name', async () => {
  assert.equal(await nameWith({ 'loop0/size': '8\n' }, 'loop0'), null)
  assert.equal(await nameWith({ 'vda/serial': '\n', 'vda/vda1/partition': '1\n' }, 'vda/vda1'), null)
})
