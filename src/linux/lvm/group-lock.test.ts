import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { eventually } from '../../../test/support/eventually.ts'
import { lvmDevices, needsLvm } from '../../../test/support/lvm-devices.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { holdGroup } from './group-lock.ts'

const MIB = 1024 * 1024
const skip = needsLvm()
const { signal } = new AbortController()

test(
  'holdGroup() keeps commands of LVM from changing a group, and lets them look at it',
  { skip },
  async () => {
    using folder = temporaryFolder()
    using disks = lvmDevices(folder, { sizesBytes: [8 * MIB] })
    const [device = ''] = disks.devices
    disks.lvm('vgcreate', 'vg0', device)
    const lock = { lockFolder: folder.join('lvm-lock'), name: 'vg0' }
    {
      using _held = await holdGroup(lock, signal)
      using _again = await holdGroup(lock, signal)
      assert.equal(disks.report('vgs')[0]?.['vg_name'], 'vg0')
      const withoutWaiting = ['--config', 'global/wait_for_locks=0']
      assert.throws(() => disks.lvm('vgchange', ...withoutWaiting, '--addtag', 'x', 'vg0'), /lock/)
    }
    disks.lvm('vgchange', '--addtag', 'y', 'vg0')
    assert.equal(disks.report('vgs', '-o', 'vg_tags')[0]?.['vg_tags'], 'y')
  },
)

test('holdGroup() lets who waits to change the group go first', { skip }, async () => {
  using folder = temporaryFolder()
  using disks = lvmDevices(folder, { sizesBytes: [8 * MIB] })
  const [device = ''] = disks.devices
  disks.lvm('vgcreate', 'vg0', device)
  const lockFolder = folder.join('lvm-lock')
  using stack = new DisposableStack()
  const held = stack.use(await holdGroup({ lockFolder, name: 'vg0' }, signal))
  const environment = { ...process.env, LVM_SYSTEM_DIR: folder.join('lvm-system') }
  const change = spawn('vgchange', ['--addtag', 'z', 'vg0'], { env: environment, stdio: 'ignore' })
  const ended = once(change, 'exit')
  await eventually(() => new RegExp(`-> FLOCK .* ${change.pid} `).test(readFileSync('/proc/locks', 'utf8')))
  const again = holdGroup({ lockFolder, name: 'vg0' }, signal)
  held[Symbol.dispose]()
  assert.deepEqual(await ended, [0, null])
  using _held = await again
  assert.equal(disks.report('vgs', '-o', 'vg_tags')[0]?.['vg_tags'], 'z')
})
