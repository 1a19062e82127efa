import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { mountNewFileSystem } from '../file-system.ts'
import { openLab } from '../lab.ts'
import { needsLab } from '../needs-lab.ts'
import { startHost } from '../start-host.ts'
import { makeVolumeGroup } from '../volume-group.ts'
import { startWriteLoad } from '../write-load.ts'

const SCRIPT = fileURLToPath(new URL('../guest/measure-window.ts', import.meta.url))

test(
  'how long groups stand still under a write load, beside what each volume needs alone',
  { skip: needsLab() },
  async (context) => {
    await using lab = openLab()
    const disk = { image: lab.diskImage('disk', 256), mode: 'own', serial: 'one' } as const
    await using host = await startHost(lab, { name: 'a', memoryMiB: 768, disks: [disk] })
    const group = await makeVolumeGroup(host, 'vg0', ['/dev/sda'])
    await group.makeThinPool('pool', { sizeMiB: 112 })
    const thin = ['thin0', 'thin1', 'thin2', 'thin3']
    const thick = ['thick0', 'thick1']
    const files: string[] = []
    for (const name of [...thin, ...thick]) {
      const isThin = thin.includes(name)
      const device = isThin
        ? await group.makeThinVolume(name, { pool: 'pool', sizeMiB: 16 })
        : await group.makeVolume(name, 24)
      const folder = await mountNewFileSystem(host, 'ext4', device)
      await host.output([
        'dd',
        'if=/dev/urandom',
        `of=${folder}/data`,
        'bs=1M',
        'count=4',
        'conv=fsync',
        'status=none',
      ])
      files.push(`${folder}/data`)
    }
    const load = await startWriteLoad(host, { paths: files, seed: 9, spanBytes: 2 ** 20 })
    for (const [kind, names] of [
      ['lvm-thin', thin],
      ['lvm', thick],
    ] as const) {
      const result = await host.runNode(SCRIPT, [kind, '5', ...names], { timeoutSeconds: 900 })
      assert.equal(result.exitCode, 0, result.stdout + result.stderr)
      context.diagnostic(`${kind}, ${names.length} volumes: ${result.stdout.trim()}`)
    }
    assert.ok((await load.stop()) > 0)
  },
)
