import assert from 'node:assert/strict'
import { test } from 'node:test'

import { mountNewFileSystem } from './file-system.ts'
import { writeRandom } from './host-with-volumes.ts'
import { icecoreOnHost } from './icecore-on-host.ts'
import { openLab } from './lab.ts'
import { needsLab } from './needs-lab.ts'
import { startHost } from './start-host.ts'
import { makeVolumeGroup } from './volume-group.ts'

test(
  'icecore backs up a snapshot on a lab host into the share, and every byte is right',
  { skip: needsLab() },
  async () => {
    await using lab = openLab()
    const disk = { image: lab.diskImage('disk', 96), mode: 'own', serial: 'one' } as const
    await using host = await startHost(lab, { name: 'a', disks: [disk] })
    const group = await makeVolumeGroup(host, 'vg0', ['/dev/sda'])
    const folder = await mountNewFileSystem(host, 'ext4', await group.makeVolume('home', 32))
    await writeRandom(host, `${folder}/data`, 8)
    const snapshot = await group.makeSnapshot('frozen', { volume: 'home', sizeMiB: 16 })
    // What comes after the snapshot is not in it.
    await writeRandom(host, `${folder}/data`, 4)

    const environment = { ICECORE_REPOSITORY: `${lab.share}/repository` }
    const icecore = async (...words: readonly string[]): Promise<string> => {
      const { exitCode, stdout, stderr } = await icecoreOnHost(host, words, { environment })
      assert.equal(exitCode, 0, `${words.join(' ')}: ${stdout}${stderr}`)
      return stdout
    }
    await icecore('init', '--no-encryption')
    await icecore('backup', snapshot)
    await icecore('check', '--data')
    await icecore('restore', 'latest', '--to', '/tmp/restored')
    const same = await host.run(['cmp', snapshot, '/tmp/restored'])
    assert.equal(same.exitCode, 0, same.stdout)
  },
)
