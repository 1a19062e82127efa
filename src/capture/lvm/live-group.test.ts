import assert from 'node:assert/strict'
import { copyFileSync } from 'node:fs'
import { test } from 'node:test'
import { lvmDevices, needsLvm, type LvmDevices } from '../../../test/support/lvm-devices.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { hostLvm } from '../../linux/lvm/lvm-tools.ts'
import { LiveGroup } from './live-group.ts'
import { LiveGroups } from './live-groups.ts'
import type { LvmTools } from './lvm-tools.ts'

const MIB = 1024 * 1024
const { signal } = new AbortController()

function makeGroup(lvm: LvmDevices): string {
  lvm.lvm('vgcreate', '-q', '-s', '1m', 'vg0', ...lvm.devices)
  lvm.lvm('lvcreate', '-q', '-an', '-Zn', '-Wn', '-y', '-L', '4m', '-n', 'home', 'vg0')
  return lvm.report('vgs', '-o', 'vg_uuid')[0]?.['vg_uuid'] ?? ''
}

/** A host whose kernel uses some of the disks, and whose LVM knows all of them. */
function hostWith(used: readonly string[], all: readonly string[]): LvmTools & { readonly asked: string[] } {
  const asked: string[] = []
  return {
    ...hostLvm,
    asked,
    activeGroup: () => Promise.resolve({ diskPaths: used, volumeUuids: new Set<string>() }),
    readGroup: (uuid) => {
      asked.push('readGroup')
      return Promise.resolve({ name: 'vg0', uuid, freeBytes: 0, extentSizeBytes: MIB, diskPaths: all })
    },
    listVolumes: () => {
      asked.push('listVolumes')
      return Promise.resolve([])
    },
  }
}

test(
  'LiveGroup.open() asks LVM only when the kernel does not use all disks',
  { skip: needsLvm() },
  async () => {
    using folder = temporaryFolder()
    using lvm = lvmDevices(folder, { sizesBytes: [32 * MIB, 32 * MIB] })
    const uuid = makeGroup(lvm)
    const { images } = lvm
    for (const [used, asked] of [
      [images, []],
      [images.slice(0, 1), ['readGroup']],
      [[], ['readGroup']],
      [['/nowhere', ...images], ['readGroup']],
    ] as const) {
      const tools = hostWith(used, images)
      await using live = await LiveGroup.open(tools, uuid, signal)
      assert.deepEqual(tools.asked, asked, used.join())
      assert.equal(live.devices.length, 2)
      assert.deepEqual(
        (await live.read()).group.logicalVolumes.map(({ name }) => name),
        ['home'],
      )
    }
  },
)

test('LiveGroup.open() does not take a disk that was away for whole', { skip: needsLvm() }, async () => {
  using folder = temporaryFolder()
  using lvm = lvmDevices(folder, { sizesBytes: [32 * MIB, 32 * MIB] })
  const uuid = makeGroup(lvm)
  const [first = '', second = ''] = lvm.images
  const stale = folder.join('stale.img')
  copyFileSync(second, stale)
  lvm.lvm('lvchange', '-q', '--addtag', 'newer', 'vg0/home')
  const tools = hostWith([first, stale], [first, second])
  await using live = await LiveGroup.open(tools, uuid, signal)
  assert.deepEqual(tools.asked, ['readGroup'])
  assert.deepEqual((await live.read()).group.logicalVolumes[0]?.tags, ['newer'])
})

test('LiveGroup.read() sees what LVM has just changed', { skip: needsLvm() }, async () => {
  using folder = temporaryFolder()
  using lvm = lvmDevices(folder, { sizesBytes: [32 * MIB] })
  const uuid = makeGroup(lvm)
  await using live = await LiveGroup.open(hostWith(lvm.devices, lvm.devices), uuid, signal)
  const before = await live.read()
  assert.equal((await live.read()).group, before.group)
  for (const tag of ['a', 'b', 'c']) {
    lvm.lvm('lvchange', '-q', '--addtag', tag, 'vg0/home')
    assert.ok((await live.read()).group.logicalVolumes[0]?.tags.includes(tag), tag)
  }
})

test('LiveGroups.volumes() asks LVM for a group that cannot be read', { skip: needsLvm() }, async () => {
  using folder = temporaryFolder()
  using lvm = lvmDevices(folder, { sizesBytes: [32 * MIB] })
  const uuid = makeGroup(lvm)
  const tools = hostWith([], [])
  await using groups = new LiveGroups(tools)
  assert.deepEqual(await groups.volumes([uuid], signal), [])
  assert.deepEqual(tools.asked, ['readGroup', 'listVolumes'])
})
