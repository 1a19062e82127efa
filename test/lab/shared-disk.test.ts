import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import { openLab } from './lab.ts'
import type { LabHost } from './lab-host.ts'
import { needsLab } from './needs-lab.ts'
import { startHost } from './start-host.ts'
import { makeVolumeGroup } from './volume-group.ts'

const MIB = 1024 * 1024

test(
  'two hosts see one disk by one identity; one reads what the other writes',
  { skip: needsLab() },
  async () => {
    await using lab = openLab()
    const image = lab.diskImage('shared', 64)
    const [writer, reader] = await Promise.all([
      startHost(lab, { name: 'a', disks: [{ image, mode: 'shared-writer', serial: 'lun-1' }] }),
      startHost(lab, { name: 'b', disks: [{ image, mode: 'shared-reader', serial: 'lun-1' }] }),
    ])
    for (const host of [writer, reader]) {
      const [disk] = host.disks
      const wwid = await host.output(['cat', '/sys/block/sda/device/wwid'])
      assert.deepEqual(disk, { image, path: '/dev/sda', wwid: wwid.trim() })
    }
    assert.equal(writer.disks[0]?.wwid, reader.disks[0]?.wwid)

    // Twice at one place: what the reader saw before must not be what it sees now.
    for (let round = 0; round < 2; round += 1) {
      const bytes = randomBytes(4 * MIB)
      await writer.output([...DIRECT, 'of=/dev/sda', 'oflag=direct', 'seek=8', 'iflag=fullblock'], {
        stdin: bytes,
      })
      assert.equal(await readDirectly(reader), sha256(bytes))
      assert.equal(sha256(readFileSync(image).subarray(8 * MIB, 12 * MIB)), sha256(bytes))
    }

    const refused = await reader.run([...DIRECT, 'if=/dev/zero', 'of=/dev/sda', 'count=1', 'oflag=direct'])
    assert.notEqual(refused.exitCode, 0)
    assert.match(refused.stderr, /Operation not permitted|Read-only/)

    await makeVolumeGroup(writer, 'vg0', ['/dev/sda'])
    assert.equal((await reader.output(['vgs', '--readonly', '--noheadings', '-o', 'vg_name'])).trim(), 'vg0')
  },
)

const DIRECT = ['dd', 'bs=1M', 'status=none'] as const

async function readDirectly(host: LabHost): Promise<string> {
  const { stdoutBytes } = await host.run([...DIRECT, 'if=/dev/sda', 'iflag=direct', 'skip=8', 'count=4'])
  return sha256(stdoutBytes)
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
