import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { bytesImage, fileImage } from '../../../test/support/bytes-image.ts'
import { partitionedDisk } from '../../../test/support/partitioned-disk.ts'
import { needsLoopDevices } from '../../../test/support/requirements.ts'
import { runTool } from '../../../test/support/run-tool.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { sliceImage } from '../../images/slice-image.ts'
import { FormatError } from '../format-error.ts'
import { partitionGaps } from '../../../test/support/partition-gaps.ts'
import { readMbr } from './read-mbr.ts'

const MIB = 2 ** 20
const SKIP = { 512: false, 4096: needsLoopDevices() } as const
const SCRIPT = `label: dos
label-id: 0x1ce1ce01
start=1MiB size=1MiB type=83 bootable
size=1MiB type=8e
start=4MiB size=10MiB type=f
start=15MiB type=82
start=5MiB size=1MiB type=83
start=7MiB size=2MiB type=fd
start=10MiB size=1MiB type=c
`

const DISK = partitionedDisk({ sizeBytes: 16 * MIB, sectorSizeBytes: 512, script: SCRIPT })
const EXTENDED_LBA = (4 * MIB) / 512

for (const sectorSizeBytes of [512, 4096] as const) {
  test(
    `readMbr() finds what sfdisk made on sectors of ${sectorSizeBytes}, logical partitions too`,
    { skip: SKIP[sectorSizeBytes] },
    async () => {
      const disk = partitionedDisk({ sizeBytes: 16 * MIB, sectorSizeBytes, script: SCRIPT })
      const table = await readMbr(bytesImage(disk.bytes, { sectorSizeBytes }))
      assert.equal(table.format, 'mbr')
      assert.equal(`0x${table.uuid}`, disk.id)
      assert.deepEqual(table.findings, [])
      assert.deepEqual(
        [...table.partitions, ...table.containers]
          .toSorted((a, b) => a.number - b.number)
          .map(({ number, range, typeId, flags }) => ({
            number,
            range,
            typeId,
            isActive: flags.includes('active'),
          })),
        disk.partitions.map(({ number, start, size, type, bootable }) => ({
          number,
          range: { offset: start * sectorSizeBytes, length: size * sectorSizeBytes },
          typeId: `0x${type.padStart(2, '0')}`,
          isActive: bootable === true,
        })),
      )
      assert.deepEqual(
        table.containers.map((container) => container.number),
        [3],
      )
      assert.equal(table.partitions.at(-1)?.uuid, '1ce1ce01-07')
      assert.equal(table.partitions[1]?.typeName, 'Linux LVM')
      assert.equal(table.metadataRanges.length, 4) // Sector 0 and three links.
      const covered = [...table.partitions.map((each) => each.range), ...table.metadataRanges]
      const gaps = partitionGaps(table, { sizeBytes: 16 * MIB })
      const total = [...covered, ...gaps].reduce((sum, range) => sum + range.length, 0)
      assert.equal(total, 16 * MIB)
    },
  )
}

test('readMbr() stops a chain that comes back, leaves the disk or its partition, or is none', async () => {
  const secondLink = 512 * Number(chainOf(DISK.bytes)[1])
  const cases: readonly (readonly [number, number, string])[] = [
    [secondLink + 0x1ce + 8, 0, 'the chain comes back to it'],
    [
      secondLink + 0x1ce + 8,
      0x7fffffff,
      `it would be sector ${0x7fffffff + EXTENDED_LBA}, and the disk has 32768`,
    ],
    [secondLink + 0x1ce + 8, (11 * MIB) / 512, 'it lies outside the extended partition'],
    [secondLink + 0x1fe, 0, 'it has no signature 55aa'],
  ]
  for (const [offset, value, found] of cases) {
    const bytes = DISK.bytes.slice()
    new DataView(bytes.buffer).setUint32(offset, value, true)
    const table = await readMbr(bytesImage(bytes))
    assert.deepEqual(
      table.findings.map((each) => each.found),
      [found],
    )
    assert.equal(table.partitions[3]?.number, 5) // What came before stays.
  }
})

/** 512 bytes a sector, 8 sectors a cluster, 32 reserved, two FATs of 1,009 sectors, 1,034,240 sectors in all. */
const FAT32_BLOCK = Uint8Array.fromHex(
  'eb5890' +
    '0000000000000000' +
    '0002' +
    '08' +
    '2000' +
    '02' +
    '0000' +
    '0000' +
    'f8' +
    '0000' +
    '3f00ff00' +
    '00000000' +
    '00c80f00' +
    'f1030000',
)

/** The sectors of the links. */
function chainOf(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const links = [EXTENDED_LBA]
  for (;;) {
    const at = 512 * (links.at(-1) ?? 0) + 0x1ce
    if (view.getUint8(at + 4) === 0) return links
    links.push(EXTENDED_LBA + view.getUint32(at + 8, true))
  }
}

test('readMbr() walks a long chain no further than its bound', async () => {
  const bytes = new Uint8Array(400 * 512)
  const view = new DataView(bytes.buffer)
  const setEntry = (at: number, entry: { type: number; first: number; count: number }): void => {
    view.setUint8(at + 4, entry.type)
    view.setUint32(at + 8, entry.first, true)
    view.setUint32(at + 12, entry.count, true)
  }
  for (let sector = 0; sector < 400; sector += 1) {
    view.setUint16(sector * 512 + 0x1fe, 0xaa55, true)
    if (sector > 0) setEntry(sector * 512 + 0x1ce, { type: 5, first: sector, count: 1 })
  }
  setEntry(0x1be, { type: 5, first: 1, count: 399 })
  const table = await readMbr(bytesImage(bytes))
  assert.equal(table.metadataRanges[0]?.length, 257 * 512)
  assert.deepEqual(
    table.findings.map((each) => each.found),
    ['it is one more than 256'],
  )
})

test('readMbr() leaves out partitions beyond the disk, and tells those that overlap', async () => {
  const short = await readMbr(bytesImage(DISK.bytes.subarray(0, 8 * MIB)))
  assert.deepEqual(
    short.partitions.map((partition) => partition.number),
    [1, 2, 5],
  )
  const bytes = DISK.bytes.slice()
  new DataView(bytes.buffer).setUint32(0x1be + 8, 0, true)
  const [first, second] = (await readMbr(bytesImage(bytes))).partitions
  assert.deepEqual([first?.range.offset, first?.overlaps, second?.overlaps], [0, true, false])
})

for (const name of ['fat12', 'fat16'] as const) {
  test(`readMbr() does not mistake the boot sector of ${name} for a table`, async () => {
    using folder = temporaryFolder()
    const path = folder.join('disk')
    mkdirSync(folder.join('files'))
    const source = `${name.replace('fat', 'fat:')}:${folder.join('files')}`
    runTool('qemu-img', ['convert', '-q', '-O', 'raw', source, path])
    await using disk = fileImage(path)
    const [partition] = (await readMbr(disk)).partitions
    assert(partition !== undefined)
    await assert.rejects(readMbr(sliceImage(disk, partition.range)), {
      message: `Cannot read MBR at byte 0: it is the boot sector of ${name}`,
    })
  })
}

test('readMbr() does not mistake the boot sectors of NTFS, exFAT and FAT32 for a table', async () => {
  for (const [name, text] of [
    ['ntfs', 'NTFS    '],
    ['exfat', 'EXFAT   '],
    ['fat32', 'mkfs.fat'],
  ] as const) {
    const sector = new Uint8Array(1024)
    if (name === 'fat32') sector.set(FAT32_BLOCK)
    sector.set(new TextEncoder().encode(text), 3)
    sector.set([0x55, 0xaa], 510)
    await assert.rejects(readMbr(bytesImage(sector)), {
      message: `Cannot read MBR at byte 0: it is the boot sector of ${name}`,
    })
  }
})

test('readMbr() takes the boot loader of an unpartitioned disk for no table, or for one without partitions', async () => {
  const sector = new Uint8Array(1024)
  sector.set([0xeb, 0x63, 0x90])
  sector.set([0x55, 0xaa], 510)
  assert.deepEqual((await readMbr(bytesImage(sector))).partitions, [])
  sector.fill(0x61, 0x1be, 0x1fe) // Text or code where the table would be.
  await assert.rejects(readMbr(bytesImage(sector)), {
    message: 'Cannot read MBR at byte 0: status of partition 1 is 0x61, expected 0x0 or 0x80',
  })
  await assert.rejects(readMbr(bytesImage(new Uint8Array(1024))), {
    message: 'Cannot read MBR at byte 0: signature is 0000, expected 55aa',
  })
  await assert.rejects(readMbr(bytesImage(new Uint8Array(100))), FormatError)
})

test('readMbr() refuses the sector that protects a GUID partition table', async () => {
  const disk = partitionedDisk({ sizeBytes: 4 * MIB, sectorSizeBytes: 512, script: 'label: gpt\n' })
  await assert.rejects(readMbr(bytesImage(disk.bytes)), /it only stands for a GUID partition table/)
})

test('readMbr() survives any damage: a table within the disk, or a FormatError', async () => {
  const places = [0, ...chainOf(DISK.bytes)].map((sector) => sector * 512)
  const anyDamage = fc.array(
    fc.record({
      link: fc.constantFrom(...places),
      offset: fc.integer({ min: 0x1b8, max: 511 }),
      value: fc.nat(255),
    }),
    { minLength: 1, maxLength: 6 },
  )
  await fc.assert(
    fc.asyncProperty(anyDamage, async (damage) => {
      const bytes = DISK.bytes.slice()
      for (const { link, offset, value } of damage) bytes[link + offset] = value
      try {
        const table = await readMbr(bytesImage(bytes))
        for (const { range } of table.partitions) {
          assert(range.length >= 1 && range.offset + range.length <= bytes.byteLength)
        }
      } catch (error) {
        assert(error instanceof FormatError, String(error))
      }
    }),
    { numRuns: 100 },
  )
})
