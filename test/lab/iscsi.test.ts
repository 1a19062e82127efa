import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { test } from 'node:test'

import { logInToSan, startSan } from './iscsi.ts'
import { openLab } from './lab.ts'
import { wwidOf } from './lab-disk.ts'
import { needsLab } from './needs-lab.ts'
import { startHost } from './start-host.ts'

test(
  'two hosts reach a disk of a third over iSCSI, one of them only to read',
  { skip: needsLab() },
  async () => {
    await using lab = openLab()
    const [san, writer, reader] = await Promise.all([
      startHost(lab, {
        name: 's',
        address: '10.77.0.3',
        disks: [{ image: lab.diskImage('lun', 64), mode: 'own' }],
      }),
      startHost(lab, { name: 'a', address: '10.77.0.1' }),
      startHost(lab, { name: 'b', address: '10.77.0.2' }),
    ])
    await startSan(san, {
      address: '10.77.0.3',
      units: [{ device: '/dev/ubda', serial: 'lun-1' }],
      initiators: { a: 'read-write', b: 'read-only' },
    })
    const [[written], [read]] = await Promise.all([
      logInToSan(writer, '10.77.0.3', ['lun-1']),
      logInToSan(reader, '10.77.0.3', ['lun-1']),
    ])
    assert.ok(written !== undefined && read !== undefined)
    assert.equal(
      (await reader.output(['cat', `/sys/block/${read.slice(5)}/device/wwid`])).trim(),
      wwidOf('lun-1'),
    )

    const bytes = randomBytes(4 * 1024 * 1024)
    const direct = ['dd', 'bs=1M', 'status=none', 'iflag=fullblock', 'oflag=direct']
    await writer.output([...direct, `of=${written}`], { stdin: bytes })
    const { stdoutBytes } = await reader.run([
      'dd',
      'bs=1M',
      'status=none',
      'iflag=direct',
      'count=4',
      `if=${read}`,
    ])
    assert.equal(sha256(stdoutBytes), sha256(bytes))
    const refused = await reader.run([...direct, 'if=/dev/zero', `of=${read}`, 'count=1'])
    assert.notEqual(refused.exitCode, 0)
  },
)

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
