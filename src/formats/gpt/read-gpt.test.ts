import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { crc32 } from '../../bytes/crc32.ts'
import { bytesImage } from '../../../test/support/bytes-image.ts'
import { partitionedDisk, sfdiskView, type PartitionedDisk } from '../../../test/support/partitioned-disk.ts'
import { needsLoopDevices } from '../../../test/support/requirements.ts'
import { runTool } from '../../../test/support/run-tool.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { FormatError } from '../format-error.ts'
import { partitionGaps } from '../../../test/support/partition-gaps.ts'
import { readGpt } from './read-gpt.ts'

const MIB = 2 ** 20
const SKIP = { 512: false, 4096: needsLoopDevices() } as const
const SCRIPT = `label: gpt
label-id: 11111111-2222-3333-4444-555555555555
start=1MiB size=1MiB type=U name="EFI" attrs="RequiredPartition LegacyBIOSBootable GUID:60,63"
size=2MiB type=L name="Ördner \u{1f9ca}"
size=1MiB type=E6D6D379-F507-44C2-A23C-238F2A3DF928
`

const DISK = partitionedDisk({ sizeBytes: 8 * MIB, sectorSizeBytes: 512, script: SCRIPT })

/** A copy that may be broken. */
function bytesOf(disk: PartitionedDisk): Uint8Array {
  return disk.bytes.slice()
}

/** Makes the checksums of the header at `lba` right again after its entries or itself were changed. */
function mend(bytes: Uint8Array, lba: number): void {
  const view = new DataView(bytes.buffer)
  const at = lba * 512
  const entries = Number(view.getBigUint64(at + 72, true)) * 512
  const length = view.getUint32(at + 80, true) * view.getUint32(at + 84, true)
  view.setUint32(at + 88, crc32(bytes.subarray(entries, entries + length)), true)
  view.setUint32(at + 16, 0, true)
  view.setUint32(at + 16, crc32(bytes.subarray(at, at + 92)), true)
}

for (const sectorSizeBytes of [512, 4096] as const) {
  test(
    `readGpt() finds what sfdisk made on sectors of ${sectorSizeBytes}`,
    { skip: SKIP[sectorSizeBytes] },
    async () => {
      const disk = partitionedDisk({ sizeBytes: 16 * MIB, sectorSizeBytes, script: SCRIPT })
      const table = await readGpt(bytesImage(disk.bytes, { sectorSizeBytes }))
      assert.equal(table.format, 'gpt')
      assert.equal(table.sectorSizeBytes, sectorSizeBytes)
      assert.equal(table.uuid, disk.id.toLowerCase())
      assert.deepEqual(table.findings, [])
      assert.deepEqual(
        table.partitions.map(({ number, range, typeId, uuid, name }) => ({
          number,
          range,
          typeId,
          uuid,
          name,
        })),
        disk.partitions.map(({ number, start, size, type, uuid, name }) => ({
          number,
          range: { offset: start * sectorSizeBytes, length: size * sectorSizeBytes },
          typeId: type.toLowerCase(),
          uuid: uuid?.toLowerCase(),
          name: name ?? '',
        })),
      )
      assert.deepEqual(table.partitions[0]?.flags, ['required', 'legacy-boot', 'bit 60', 'bit 63'])
      assert.deepEqual(
        table.partitions.map((partition) => partition.typeName),
        ['EFI system', 'Linux file system', 'Linux LVM'],
      )
      // 128 entries of 128 bytes are 32 sectors of 512, or 4 of 4096.
      const entriesBytes = 16 * 1024
      assert.deepEqual(table.metadataRanges, [
        { offset: 0, length: 2 * sectorSizeBytes + entriesBytes },
        { offset: 16 * MIB - sectorSizeBytes - entriesBytes, length: sectorSizeBytes + entriesBytes },
      ])
      assert.deepEqual(
        partitionGaps(table, { sizeBytes: 16 * MIB }).map((gap) => gap.offset),
        [2 * sectorSizeBytes + entriesBytes, 5 * MIB],
      )
    },
  )
}

test(
  'readGpt() finds the table of a disk whose sectors were larger than those of its image',
  { skip: SKIP[4096] },
  async () => {
    const disk = partitionedDisk({ sizeBytes: 8 * MIB, sectorSizeBytes: 4096, script: SCRIPT })
    const table = await readGpt(bytesImage(disk.bytes, { sectorSizeBytes: 512 }))
    assert.equal(table.sectorSizeBytes, 4096)
    assert.deepEqual(table.partitions[1]?.range, { offset: 2 * MIB, length: 2 * MIB })
  },
)

test('readGpt() uses the backup when the primary copy is damaged, and says so', async () => {
  const whole = await readGpt(bytesImage(DISK.bytes))
  for (const damaged of [512 + 100, 512 + 60, 1024 + 5]) {
    const bytes = bytesOf(DISK)
    bytes[damaged] = (bytes[damaged] ?? 0) ^ 0x40
    const table = await readGpt(bytesImage(bytes))
    assert.deepEqual(table.partitions, whole.partitions)
    // Beyond the header's own 92 bytes nothing is checked, as the specification has it.
    assert.equal(table.findings.length, damaged === 612 ? 0 : 1)
    if (damaged === 612) continue
    assert.match(table.findings[0]?.structure ?? '', /^primary GPT/)
    assert.match(table.findings[0]?.found ?? '', /^checksum is 0x/)
    assert.equal(table.metadataRanges[0]?.length, 512) // The bad copy is gap, hence data.
  }
})

test('readGpt() says when the backup is damaged, forgotten or not at the end', async () => {
  const damaged = bytesOf(DISK)
  damaged.fill(0, 8 * MIB - 512)
  const [finding] = (await readGpt(bytesImage(damaged))).findings
  assert.deepEqual(finding, {
    structure: 'backup GPT header',
    offsetBytes: 8 * MIB - 512,
    found: 'signature is 0000000000000000, expected 4546492050415254',
  })

  const forgotten = bytesOf(DISK)
  forgotten[1024 + 56] = 0x58 // The first letter of a name, in the primary copy alone.
  mend(forgotten, 1)
  const different = await readGpt(bytesImage(forgotten))
  assert.equal(different.partitions[0]?.name, 'XFI')
  assert.deepEqual(
    different.findings.map((each) => each.found),
    ['it differs from the primary one in entriesChecksum'],
  )

  const grown = new Uint8Array(10 * MIB)
  grown.set(DISK.bytes)
  assert.deepEqual(
    (await readGpt(bytesImage(grown))).findings.map((each) => each.found),
    ['it is sector 16383, expected 20479, the last one of the disk'],
  )
})

test('readGpt() leaves out what the disk is too short for', async () => {
  const table = await readGpt(bytesImage(DISK.bytes.subarray(0, 4.5 * MIB)))
  assert.deepEqual(
    table.partitions.map((partition) => partition.number),
    [1, 2],
  )
  assert.deepEqual(
    table.findings.map((each) => `${each.structure}: ${each.found}`),
    [
      'backup GPT header: it would be sector 16383, and the disk has 9216',
      'partition 3: it is sectors 8192+2048, expected within the 9216 of the disk',
    ],
  )
  assert.equal(partitionGaps(table, { sizeBytes: 4.5 * MIB }).at(-1)?.offset, 4 * MIB)
})

test('readGpt() tells partitions that overlap each other or the table', async () => {
  const bytes = bytesOf(DISK)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(1024 + 128 + 32, 4095n, true) // Partition 2 begins one sector early, in partition 1.
  view.setBigUint64(1024 + 256 + 40, 16383n, true) // Partition 3 ends with the disk, over the backup.
  mend(bytes, 1)
  const table = await readGpt(bytesImage(bytes))
  assert.deepEqual(
    table.partitions.map((partition) => partition.overlaps),
    [true, true, true],
  )
  assert(table.findings.some((each) => each.found.startsWith('it is sectors 8192 to 16383, expected within')))
})

test('readGpt() refuses a table of which no copy is sound, and says what both are', async () => {
  const bytes = bytesOf(DISK)
  const view = new DataView(bytes.buffer)
  view.setUint32(512 + 80, 0xffffffff, true)
  bytes.fill(0, 8 * MIB - 512)
  const image = bytesImage(bytes)
  await assert.rejects(readGpt(image), {
    name: 'FormatError',
    structure: 'primary GPT header',
    offsetBytes: 512,
  })
  // A right checksum does not make absurd numbers right.
  for (const [offset, value, expected] of [
    [80, 0xffffffff, /entry count is 4294967295, expected 1 to 32768; its backup GPT header at byte 8388096/],
    [80, 0, /entry count is 0/],
    [84, 0, /size of an entry is 0/],
    [84, 2 ** 31, /size of an entry is 2147483648/],
    [84, 192, /size of an entry is 192/],
    [12, 600, /its size is 600, expected 92 to 512/],
    [76, 0xf0000000, /Cannot read field "entriesLba"/],
    [72, 1, /entries are sectors 1\+32/],
    [72, 16380, /entries are sectors 16380\+32, expected within 2 to 16384/],
    [24, 7, /it says that it is sector 7, expected 1/],
  ] as const) {
    const broken = bytesOf(DISK)
    broken.fill(0, 8 * MIB - 512)
    const brokenView = new DataView(broken.buffer)
    brokenView.setUint32(512 + offset, value, true)
    brokenView.setUint32(512 + 16, 0, true)
    brokenView.setUint32(512 + 16, crc32(broken.subarray(512, 512 + 92)), true)
    await assert.rejects(readGpt(bytesImage(broken)), expected)
  }
})

test('readGpt() says when sector 0 protects nothing, or says more than the table', async () => {
  const bare = bytesOf(DISK)
  bare.fill(0, 0, 512)
  assert.deepEqual((await readGpt(bytesImage(bare))).findings, [
    { structure: 'protective MBR', offsetBytes: 0, found: 'it has no protective partition of type 0xee' },
  ])
  const hybrid = bytesOf(DISK)
  hybrid.set([0, 0, 0, 0, 0x83, 0, 0, 0, 0, 8, 0, 0, 0, 8, 0, 0], 446 + 16)
  const [finding] = (await readGpt(bytesImage(hybrid))).findings
  assert.equal(finding?.found, 'it is hybrid: other systems may see other partitions')
})

test('readGpt() finds what sgdisk made: many entries, and a hybrid sector 0', async () => {
  using folder = temporaryFolder()
  const path = folder.join('disk')
  writeFileSync(path, DISK.bytes)
  runTool('sgdisk', ['--resize-table=1000', '--new=777:13000:+64', '--typecode=777:8300', path])
  runTool('sgdisk', ['--hybrid=1', path])
  const table = await readGpt(bytesImage(new Uint8Array(readFileSync(path))))
  assert.deepEqual(
    table.partitions.map(({ number, range }) => ({
      number,
      start: range.offset / 512,
      size: range.length / 512,
    })),
    sfdiskView(path).partitions.map(({ number, start, size }) => ({ number, start, size })),
  )
  assert.equal(table.partitions.at(-1)?.number, 777)
  assert.deepEqual(
    table.findings.map((each) => each.found),
    ['it is hybrid: other systems may see other partitions'],
  )
})

test('readGpt() survives any damage: a table within the disk, or a FormatError', async () => {
  const anyDamage = fc.array(
    fc.record({
      offset: fc.oneof(fc.nat(2048), fc.integer({ min: 8 * MIB - 1024, max: 8 * MIB - 1 })),
      value: fc.nat(255),
    }),
    { minLength: 1, maxLength: 4 },
  )
  await fc.assert(
    fc.asyncProperty(anyDamage, fc.boolean(), fc.boolean(), async (damage, mendPrimary, mendBackup) => {
      const bytes = bytesOf(DISK)
      for (const { offset, value } of damage) bytes[offset] = value
      try {
        if (mendPrimary) mend(bytes, 1)
        if (mendBackup) mend(bytes, 16383)
      } catch {
        // Numbers that lead outside cannot be mended.
      }
      try {
        const table = await readGpt(bytesImage(bytes))
        for (const { range } of [
          ...table.partitions,
          ...table.metadataRanges.map((each) => ({ range: each })),
        ]) {
          assert(range.offset >= 0 && range.length >= 1 && range.offset + range.length <= bytes.byteLength)
        }
      } catch (error) {
        assert(error instanceof FormatError, String(error))
      }
    }),
    { numRuns: 200 },
  )
})

test('readGpt() refuses images that are too small for a table', async () => {
  for (const sizeBytes of [0, 1, 511, 512, 1023, 1024, 4096]) {
    await assert.rejects(readGpt(bytesImage(new Uint8Array(sizeBytes))), { name: 'FormatError' })
  }
})
