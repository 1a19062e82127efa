import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { parseMountInfo, parseSwaps } from './mounts.ts'

test('parseMountInfo() reads numbers, escaped paths and optional fields', () => {
  const text = [
    '36 35 98:0 /root /mnt/with\\040space rw,noatime shared:1 master:2 - ext4 /dev/sda1 rw,errors=continue',
    '40 35 98:1 / /mnt/ro ro,relatime - xfs /dev/sdb ro,attr2',
    '41 35 0:40 /sub /mnt/b\\134s rw - btrfs /dev/mapper/vg-a\\040b rw,space_cache',
    '',
  ].join('\n')
  assert.deepEqual(parseMountInfo(text), [
    {
      deviceNumber: '98:0',
      mountPoint: '/mnt/with space',
      fileSystem: 'ext4',
      source: '/dev/sda1',
      writable: true,
    },
    { deviceNumber: '98:1', mountPoint: '/mnt/ro', fileSystem: 'xfs', source: '/dev/sdb', writable: false },
    {
      deviceNumber: '0:40',
      mountPoint: '/mnt/b\\s',
      fileSystem: 'btrfs',
      source: '/dev/mapper/vg-a b',
      writable: true,
    },
  ])
})

test('parseMountInfo() calls a read-only mount of a writing file system writable', () => {
  const [mount] = parseMountInfo('42 35 98:0 / /mnt/bind ro,relatime - ext4 /dev/sda1 rw')
  assert.equal(mount?.writable, true)
})

test('parseMountInfo() leaves out lines that are none', () => {
  assert.deepEqual(parseMountInfo('what\n1 2 3:4 / /x rw\n1 2 3:4 / /x rw - ext4 /dev/a'), [])
})

test('parseMountInfo() finds the root of this system', async () => {
  const mounts = parseMountInfo(await readFile('/proc/self/mountinfo', 'utf8'))
  assert.ok(mounts.some((mount) => mount.mountPoint === '/'))
})

test('parseSwaps() reads partitions and files', () => {
  const text = [
    'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority',
    '/dev/dm-1                               partition\t8388604\t\t0\t\t-2',
    '/var/swap\\040file                       file\t\t1048572\t\t0\t\t-3',
    '',
  ].join('\n')
  assert.deepEqual(parseSwaps(text), ['/dev/dm-1', '/var/swap file'])
  assert.deepEqual(parseSwaps(''), [])
})
