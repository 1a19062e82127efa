import assert from 'node:assert/strict'
import { test } from 'node:test'

import { mountFileSystem, mountNewFileSystem } from './file-system.ts'
import { openLab } from './lab.ts'
import { needsLab } from './needs-lab.ts'
import { startHost } from './start-host.ts'

/** Appends a line, makes it durable, and only then says so. */
const APPEND = `
const { openSync, writeSync, fdatasyncSync } = require('node:fs')
const file = openSync(process.argv[1], 'a')
for (let line = 1; ; line += 1) {
  writeSync(file, line + '\\n')
  fdatasyncSync(file)
  require('node:fs').writeSync(1, line + '\\n')
}`

test(
  'after a power cut, what was durable is on the disk, and the disk serves another host',
  { skip: needsLab() },
  async () => {
    await using lab = openLab()
    const disks = [{ image: lab.diskImage('disk', 64), mode: 'own' }] as const
    const host = await startHost(lab, { name: 'a', disks })
    const folder = await mountNewFileSystem(host, 'ext4', '/dev/ubda')
    const writer = host.start([process.execPath, '-e', APPEND, `${folder}/log`])
    await writer.untilStdout('\n100\n')
    await host.kill()
    await assert.rejects(writer.ended, /Lab host "a" is off/)
    const acknowledgedCount = writer.soFar('stdout').trim().split('\n').length

    await using again = await startHost(lab, { name: 'a', disks })
    await mountFileSystem(again, '/dev/ubda')
    const lines = (await again.output(['cat', '/mnt/ubda/log'])).trimEnd().split('\n')
    assert.ok(lines.length >= acknowledgedCount, `${lines.length} lines, ${acknowledgedCount} were durable`)
    assert.deepEqual(
      lines.slice(0, acknowledgedCount),
      Array.from({ length: acknowledgedCount }, (_, at) => `${at + 1}`),
    )
    await again.output(['umount', '/mnt/ubda'])
    await again.output(['e2fsck', '-fn', '/dev/ubda'])
  },
)

test('pause() and resume() let a host hang; plugDisk() gives it a disk', { skip: needsLab() }, async () => {
  await using lab = openLab()
  await using host = await startHost(lab, { name: 'a' })
  await host.pause()
  let answered = false
  const answer = host.output(['echo', 'back']).then((text) => {
    answered = true
    return text
  })
  // It needs a twentieth of this time to answer.
  await new Promise((resolve) => setTimeout(resolve, 1500))
  assert.equal(answered, false)
  await host.resume()
  assert.equal(await answer, 'back\n')

  const disk = await host.plugDisk({ image: lab.diskImage('late', 16), mode: 'own', serial: 'late' })
  assert.equal(disk.path, '/dev/sda')
  assert.equal((await host.output(['blockdev', '--getsize64', disk.path])).trim(), `${16 * 1024 * 1024}`)
  assert.equal((await host.output(['cat', '/sys/block/sda/device/wwid'])).trim(), disk.wwid)
})
