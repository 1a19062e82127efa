import assert from 'node:assert/strict'
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { test } from 'node:test'

import { parseThinDump } from '../support/thin-oracle.ts'
import { mountNewFileSystem } from './file-system.ts'
import { writeRandom } from './host-with-volumes.ts'
import { openLab } from './lab.ts'
import { needsLab } from './needs-lab.ts'
import { startHost } from './start-host.ts'
import { makeVolumeGroup, type VolumeGroup } from './volume-group.ts'
import { startWriteLoad } from './write-load.ts'

const MIB = 1024 * 1024
const CHUNK_BYTES = 64 * 1024

test(
  'a thin snapshot under a write load lies on the disk where thin_dump says',
  { skip: needsLab() },
  async () => {
    await using lab = openLab()
    const image = lab.diskImage('disk', 160)
    await using host = await startHost(lab, { name: 'a', disks: [{ image, mode: 'own', serial: 'one' }] })
    const group = await makeVolumeGroup(host, 'vg0', ['/dev/sda'])
    await group.makeThinPool('pool', { sizeMiB: 96, chunkKiB: CHUNK_BYTES / 1024 })
    const device = await group.makeThinVolume('home', { pool: 'pool', sizeMiB: 64 })
    const folder = await mountNewFileSystem(host, 'ext4', device)
    await writeRandom(host, `${folder}/data`, 12)

    const load = await startWriteLoad(host, { paths: [`${folder}/data`], seed: 7 })
    const snapshot = await group.makeSnapshot('frozen', { volume: 'home' })
    const xml = await dumpOfReservedMetadata(group)
    const writeCount = await load.stop()
    assert.ok(writeCount > 0)

    await host.output([
      'dd',
      `if=${snapshot}`,
      `of=${lab.share}/frozen`,
      'bs=1M',
      'iflag=direct',
      'status=none',
    ])
    await host.output(['sync'])
    const frozen = readFileSync(`${lab.share}/frozen`)
    assert.equal(frozen.byteLength, 64 * MIB)
    const [volume] = (await group.report('lvs', 'lv_name', 'thin_id')).filter(
      (row) => row['lv_name'] === 'frozen',
    )
    const mapped = parseThinDump(xml).devices.get(Number(volume?.['thin_id']))
    assert.ok(mapped !== undefined)
    const fromDisk = Buffer.alloc(frozen.byteLength)
    const poolBegin = await poolDataOffset(group)
    const disk = openSync(image, 'r')
    let mappedBytes = 0
    for (const { begin, data, length } of mapped.runs) {
      const part = fromDisk.subarray(begin * CHUNK_BYTES, (begin + length) * CHUNK_BYTES)
      mappedBytes += readSync(disk, part, 0, part.byteLength, poolBegin + data * CHUNK_BYTES)
    }
    closeSync(disk)
    assert.ok(mappedBytes >= 12 * MIB)
    assert.ok(fromDisk.equals(frozen))
    // The origin has gone on: what was compared is not just a volume at rest.
    const now = await host.run(['cmp', '--silent', device, snapshot])
    assert.equal(now.exitCode, 1)
  },
)

/** The metadata of one moment, which stays readable while the pool goes on. */
async function dumpOfReservedMetadata(group: VolumeGroup): Promise<string> {
  await group.tellPool('pool', 'reserve_metadata_snap')
  try {
    const metadata = `/dev/mapper/${group.deviceMapperName('pool', '_tmeta')}`
    return await group.host.output(['thin_dump', '--metadata-snap', metadata])
  } finally {
    await group.tellPool('pool', 'release_metadata_snap')
  }
}

/** Where the pool's data begins on the disk; it lies in one piece. */
async function poolDataOffset(group: VolumeGroup): Promise<number> {
  const [physical] = await group.report('pvs', 'pe_start')
  const [extentSize] = await group.report('vgs', 'vg_extent_size')
  const volumes = await group.report('lvs', 'lv_name', 'seg_pe_ranges')
  const ranges = volumes
    .filter((row) => row['lv_name'] === '[pool_tdata]')
    .map((row) => row['seg_pe_ranges'] ?? '')
  assert.equal(ranges.length, 1)
  const [, first] = /^\/dev\/sda:(\d+)-\d+$/.exec(ranges[0] ?? '') ?? []
  return Number(physical?.['pe_start']) + Number(first) * Number(extentSize?.['vg_extent_size'])
}
