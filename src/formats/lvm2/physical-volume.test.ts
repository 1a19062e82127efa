import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { bytesImage, fileImage } from '../../../test/support/bytes-image.ts'
import { dumpPhysicalVolume, lvmDevices, needsLvm } from '../../../test/support/lvm-devices.ts'
import { mendAreaHeader, mendLabel, physicalVolumeBytes } from '../../../test/support/lvm-image.ts'
import { groupText, lvmUuid } from '../../../test/support/lvm-text.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { cachedImage } from '../../images/cached-image.ts'
import { FormatError } from '../format-error.ts'
import { readPhysicalVolume, type PhysicalVolume } from './physical-volume.ts'

const MIB = 1024 * 1024
const TEXT = groupText({ devices: [lvmUuid('pv0')], volumes: [] })
const AREA = { offset: 4096, sizeBytes: 64 * 1024 }

function sample(): Uint8Array {
  return physicalVolumeBytes({ uuid: lvmUuid('pv0'), sizeBytes: 4 * MIB, areas: [{ ...AREA, text: TEXT }] })
}

async function read(bytes: Uint8Array): Promise<PhysicalVolume> {
  const volume = await readPhysicalVolume(bytesImage(bytes))
  assert(volume !== null)
  return volume
}

/** `label_header.crc 0x1` and so on, as a table. */
function dumped(image: string, what: string, ...words: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    dumpPhysicalVolume(image, what, ...words).map((line) => {
      const [name = '', value = ''] = line.split(' ')
      return [name, value]
    }),
  )
}

for (const sectorSizeBytes of [512, 4096]) {
  test(
    `readPhysicalVolume() sees what pvck sees, sectors of ${sectorSizeBytes} bytes`,
    { skip: needsLvm() },
    async () => {
      using folder = temporaryFolder()
      using lvm = lvmDevices(folder, { sizesBytes: [32 * MIB, 32 * MIB], sectorSizeBytes })
      const [first = '', second = ''] = lvm.devices
      lvm.lvm('pvcreate', '-q', '--pvmetadatacopies', '2', '--bootloaderareasize', '1m', first)
      lvm.lvm('pvcreate', '-q', '--pvmetadatacopies', '0', '--labelsector', '3', second)
      lvm.lvm('vgcreate', '-q', '-s', '1m', 'vg', first, second)
      lvm.lvm('lvcreate', '-q', '-an', '-Zn', '-Wn', '-L', '3m', '-n', 'data', 'vg')
      for (const path of lvm.images) {
        await using image = fileImage(path, { sectorSizeBytes })
        const volume = await readPhysicalVolume(cachedImage(image))
        assert(volume !== null)
        const facts = dumped(path, 'headers', '--labelsector', String(path === lvm.images[0] ? 1 : 3))
        const { label } = volume
        assert.deepEqual(volume.findings, [])
        assert.equal(label.uuid.replaceAll('-', ''), facts.get('pv_header.pv_uuid'))
        assert.equal(label.deviceSizeBytes, Number(facts.get('pv_header.device_size')))
        assert.equal(label.offset, 512 * Number(facts.get('label_header.sector')))
        assert.equal(label.extensionVersion, Number(facts.get('pv_header_extension.version')))
        assert.equal(label.isUsed, true)
        const headers = [1, 2].flatMap((number) => {
          const offset = facts.get(`mda_header_${number}.start`)
          const size = facts.get(`mda_header_${number}.size`)
          return offset === undefined ? [] : [{ offset: Number(offset), sizeBytes: Number(size) }]
        })
        assert.deepEqual(label.metadataAreas, headers)
        assert.equal(label.bootLoaderAreas.length, path === lvm.images[0] ? 1 : 0)
        for (const [index, text] of volume.texts.entries()) {
          const file = folder.join(`text${label.offset}${index}`)
          dumped(path, 'metadata', '--file', file, '--settings', `mda_num=${index + 1}`)
          assert(decode(text.bytes) === readFileSync(file, 'utf8'))
        }
        assert.equal(volume.texts.length, headers.length)
      }
    },
  )
}

function decode(text: Uint8Array): string {
  return new TextDecoder().decode(text).replace(/\0+$/u, '').trimEnd().concat('\n\n')
}

test('readPhysicalVolume() follows the text around the end of its area', { skip: needsLvm() }, async () => {
  using folder = temporaryFolder()
  using lvm = lvmDevices(folder, { sizesBytes: [16 * MIB] })
  const [device = ''] = lvm.devices
  const [path = ''] = lvm.images
  lvm.lvm('pvcreate', '-q', '--dataalignment', '64k', '--metadatasize', '48k', device)
  lvm.lvm('vgcreate', '-q', '-s', '1m', 'vg', device)
  // Tags make the text long, so that it comes to the end of the ring soon.
  const tags = Array.from({ length: 150 }, (_, index) => ['--addtag', `${'tag'.repeat(30)}${index}`]).flat()
  lvm.lvm('vgchange', '-q', ...tags, 'vg')
  let wrapCount = 0
  for (let round = 0; round < 60 && wrapCount < 2; round += 1) {
    lvm.lvm('vgchange', '-q', '--addtag', `round${round}`, 'vg')
    await using image = fileImage(path)
    const volume = await readPhysicalVolume(cachedImage(image))
    const [text] = volume?.texts ?? []
    assert(text !== undefined)
    const facts = dumped(path, 'headers')
    const location = Number(facts.get('mda_header_1.raw_locn[0].offset'))
    const size = Number(facts.get('mda_header_1.raw_locn[0].size'))
    assert.equal(text.bytes.length, size)
    if (location + size <= Number(facts.get('mda_header_1.size'))) continue
    wrapCount += 1
    const file = folder.join(`text${wrapCount}`)
    dumped(path, 'metadata', '--file', file)
    assert(decode(text.bytes) === readFileSync(file, 'utf8'))
    // Places behind the seam are where the bytes are.
    const bytes = readFileSync(path)
    for (const position of [0, size - 100, size - 2]) {
      assert.equal(bytes[text.offsetOf(position)], text.bytes[position])
    }
  }
  assert.equal(wrapCount, 2)
})

test('physicalVolumeBytes() makes what pvck calls sound', () => {
  using folder = temporaryFolder()
  const path = folder.join('pv.img')
  writeFileSync(path, sample())
  const facts = dumped(path, 'headers')
  assert.equal(facts.get('pv_header.pv_uuid'), lvmUuid('pv0').replaceAll('-', ''))
  assert.equal(facts.get('mda_header_1.raw_locn[0].size'), String(TEXT.length + 1))
})

test('readPhysicalVolume() gives null for what has no label', async () => {
  assert.equal(await readPhysicalVolume(bytesImage(new Uint8Array(MIB))), null)
  assert.equal(await readPhysicalVolume(bytesImage(new Uint8Array(100))), null)
})

test('readPhysicalVolume() refuses a damaged label by what is wrong with it', async () => {
  const cases: readonly (readonly [change: (view: DataView) => void, found: RegExp, mend?: boolean])[] = [
    [
      (view) => view.setUint32(512 + 0x30, 1),
      /label at byte 512: checksum is 0x[0-9a-f]+, expected 0x/,
      false,
    ],
    [(view) => view.setUint32(512 + 0x14, 0xfffffff0, true), /the header lies at 4294967280/],
    [(view) => view.setUint32(512 + 0x08, 3, true), /it says that it lies in sector 3/],
    [(view) => view.setUint8(512 + 0x1f, 0x32), /its type is not "LVM2 001"/],
    [(view) => view.setUint8(512 + 0x20, 0), /the id of the physical volume is not 32 letters/],
    [(view) => view.setUint32(512 + 0x44, 0xffffffff, true), /expected less than 2\^53/],
    [(view) => fillAreas(view), /a list of areas does not end within the sector/],
  ]
  for (const [change, found, mend = true] of cases) {
    const bytes = sample()
    change(new DataView(bytes.buffer))
    if (mend) mendLabel(bytes, 1)
    await assert.rejects(readPhysicalVolume(bytesImage(bytes)), (error) => {
      assert(error instanceof FormatError)
      assert.match(error.message, found)
      return true
    })
  }
})

function fillAreas(view: DataView): void {
  for (let at = 512 + 0x48; at < 1024; at += 16) view.setUint32(at, 4096, true)
}

test('readPhysicalVolume() takes the first sound label of four sectors, and names the others', async () => {
  const bytes = physicalVolumeBytes({ uuid: lvmUuid('pv0'), sizeBytes: MIB, areas: [], labelSector: 2 })
  bytes.set(sample().subarray(512, 1024), 512)
  bytes[512 + 0x30] = 0
  const { label, findings } = await read(bytes)
  assert.equal(label.offset, 1024)
  assert.match(findings[0]?.found ?? '', /checksum/)
  mendLabel(bytes, 1)
  bytes[512 + 0x30] = 0x61
  mendLabel(bytes, 1)
  const both = await read(bytes)
  assert.equal(both.label.offset, 512)
  assert.match(both.findings.map(({ found }) => found).join(), /it is a second one/)
})

test('readPhysicalVolume() makes a damaged metadata area a finding', async () => {
  const cases: readonly (readonly [change: (view: DataView) => void, found: RegExp, mend?: boolean])[] = [
    [(view) => view.setUint8(4096 + 0x30, 0xff), /checksum/, false],
    [(view) => view.setUint8(4096 + 0x04, 0), /magic is 00/],
    [(view) => view.setUint32(4096 + 0x14, 2, true), /version is 2, expected 1/],
    [(view) => view.setUint32(4096 + 0x18, 8192, true), /it is of the 65536 bytes at 8192/],
    [(view) => view.setUint32(4096 + 0x24, 0xffffffff, true), /less than 2\^53/],
    [(view) => view.setUint32(4096 + 0x28, 100, true), /its text lies at 100/],
    [(view) => view.setUint32(4096 + 0x28, 65536, true), /its text lies at 65536/],
    [(view) => view.setUint32(4096 + 0x30, 0, true), /its text has 0 bytes/],
    [(view) => view.setUint32(4096 + 0x30, 65536, true), /its text has 65536 bytes/],
    [(view) => view.setUint32(4096 + 0x38, 1, true), /checksum is 0x1, expected/],
    [(view) => view.setUint8(4096 + 600, 0), /checksum/],
  ]
  for (const [change, found, mend = true] of cases) {
    const bytes = sample()
    change(new DataView(bytes.buffer))
    if (mend) mendAreaHeader(bytes, 4096)
    const { texts, findings } = await read(bytes)
    assert.equal(texts.length, 0)
    assert.equal(findings.length, 1)
    assert.match(findings[0]?.found ?? '', found)
  }
})

test('readPhysicalVolume() leaves out areas that are new, ignored or outside the device', async () => {
  const draft = { uuid: lvmUuid('pv0'), sizeBytes: MIB }
  const empty = await read(physicalVolumeBytes({ ...draft, areas: [AREA] }))
  assert.deepEqual([empty.texts, empty.findings], [[], []])
  const ignored = await read(
    physicalVolumeBytes({ ...draft, areas: [{ ...AREA, text: TEXT, isIgnored: true }] }),
  )
  assert.deepEqual([ignored.texts, ignored.findings], [[], []])
  const outside = physicalVolumeBytes({ ...draft, areas: [{ ...AREA, text: TEXT }] }).subarray(0, 32 * 1024)
  const cut = await read(outside)
  assert.match(cut.findings[0]?.found ?? '', /the label gives it 65536 bytes/)
})

test('readPhysicalVolume() says when a change was about to be committed', async () => {
  const areas = [{ ...AREA, text: TEXT, hasPrecommitted: true }]
  const { texts, findings } = await read(physicalVolumeBytes({ uuid: lvmUuid('pv0'), sizeBytes: MIB, areas }))
  assert.equal(texts.length, 1)
  assert.match(findings[0]?.found ?? '', /was about to be committed/)
})

test('readPhysicalVolume() reads no more than four metadata areas', async () => {
  const areas = Array.from({ length: 6 }, (_, index) => ({
    offset: 4096 + index * 65_536,
    sizeBytes: 65_536,
    text: TEXT,
  }))
  const { texts, findings } = await read(physicalVolumeBytes({ uuid: lvmUuid('pv0'), sizeBytes: MIB, areas }))
  assert.equal(texts.length, 4)
  assert.match(findings[0]?.found ?? '', /it is one of more than 4/)
})

test('a changed label or area header, its checksum mended, gives a volume or a clear error', async () => {
  const template = sample().subarray(0, 128 * 1024)
  const change = fc.tuple(fc.constantFrom(512, 4096), fc.nat(127), fc.nat(255))
  const changed = fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
    const bytes = template.slice()
    for (const [base, at, value] of changes) bytes[base + at] = value
    mendLabel(bytes, 1)
    mendAreaHeader(bytes, 4096)
    try {
      await readPhysicalVolume(bytesImage(bytes))
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
    }
  })
  await fc.assert(changed, { numRuns: 1000 })
})
