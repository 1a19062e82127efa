import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { bytesImage } from '../../../test/support/bytes-image.ts'
import { physicalVolumeBytes, type AreaDraft } from '../../../test/support/lvm-image.ts'
import {
  EVERY_KIND,
  groupText,
  linear,
  lvmUuid,
  whole,
  type GroupDraft,
  type VolumeDraft,
} from '../../../test/support/lvm-text.ts'
import type { Extent } from '../../domain/extent.ts'
import { FormatError, UnmappedError, type StructurePlace } from '../format-error.ts'
import { assembleVolumeGroups } from './assemble-groups.ts'
import { freeRanges, ownRanges } from './free-ranges.ts'
import { findLogicalVolume } from './find-logical-volume.ts'
import { logicalVolumeExtents, openLogicalVolume } from './logical-volume-extents.ts'
import { parseGroupText, parseVolumeGroup } from './parse-volume-group.ts'
import { readPhysicalVolume, type PhysicalVolume } from './physical-volume.ts'
import { thinPool, volumeContent } from './volume-content.ts'
import type { LogicalVolume, VolumeGroup } from './volume-group.ts'

const MIB = 1024 * 1024
const UUIDS = [lvmUuid('pv0'), lvmUuid('pv1'), lvmUuid('pv2')] as const
const AREA = { offset: 4096, sizeBytes: 256 * 1024 }

async function physicalVolume(
  uuid: string,
  texts: readonly string[],
  rest: { readonly sizeBytes?: number; readonly areas?: readonly AreaDraft[] } = {},
): Promise<PhysicalVolume> {
  const areas = texts.map((text, index) => ({ ...AREA, offset: AREA.offset + index * AREA.sizeBytes, text }))
  const bytes = physicalVolumeBytes({
    uuid,
    sizeBytes: rest.sizeBytes ?? 64 * MIB,
    areas: rest.areas ?? areas,
  })
  const volume = await readPhysicalVolume(bytesImage(bytes))
  assert(volume !== null)
  return volume
}

/** The group of a text, on devices of 64 MiB that are all here. */
async function groupOf(draft: GroupDraft): Promise<VolumeGroup> {
  const text = groupText(draft)
  const volumes = await Promise.all(draft.devices.map((uuid) => physicalVolume(uuid, [text])))
  const { groups, damaged } = assembleVolumeGroups(volumes)
  if (damaged[0] !== undefined) throw damaged[0].error
  const [group] = groups
  assert(group !== undefined)
  return group
}

function oneDevice(...volumes: readonly VolumeDraft[]): GroupDraft {
  return { devices: [UUIDS[0]], volumes }
}

function named(group: VolumeGroup, name: string): LogicalVolume {
  const volume = findLogicalVolume(group, name)
  assert(volume !== null, name)
  return volume
}

function mapOf(group: VolumeGroup, name: string): Extent[] {
  return [...logicalVolumeExtents(group, named(group, name))].flat()
}

function volumeOf(...segments: readonly string[]): VolumeDraft {
  return { name: 'a', segments }
}

function textPlace(offsetBytes: number): StructurePlace {
  return { structure: 'text', offsetBytes }
}

test('parseVolumeGroup() refuses what cannot be, and says where', async () => {
  const cases: readonly (readonly [volumes: readonly VolumeDraft[], found: RegExp])[] = [
    [[volumeOf(linear(1, 2, '"pv0", 0'))], /"a" has a segment at extent 1, expected one at 0/],
    [
      [volumeOf(linear(0, 2, '"pv0", 0'), linear(1, 2, '"pv0", 5'))],
      /has a segment at extent 1, expected one at 2/,
    ],
    [[volumeOf(linear(0, 0, '"pv0", 0'))], /extent_count" is 0, expected a whole number of 1/],
    [[volumeOf(linear(0, 2, '"pv0", 62'))], /extent 62\+2 of "pv0" is used, it has 63/],
    [[volumeOf(linear(0, 2, '"pv0", -1'))], /stripes" is -1/],
    [[volumeOf(linear(0, 2, '"pv9", 0'))], /"a" lies on "pv9", which does not exist/],
    [[volumeOf(linear(0, 2, '"pv0"'))], /not made of pairs/],
    [[volumeOf(linear(0, 2, '"pv0", 0, "pv0", 5'))], /2 stripes are listed, expected 1/],
    [[volumeOf(linear(0, 2 ** 53, '"pv0", 0'))], /extent_count" is 9007199254740992/],
    [[volumeOf(linear(0, 2 ** 40, '"pv0", 0'))], /lies beyond 2\^53 bytes/],
    [
      [volumeOf(whole(3, 'striped', 'stripe_count = 2 stripe_size = 8 stripes = ["pv0", 0, "pv0", 9]'))],
      /3 extents do not fill 2 stripes/,
    ],
    [
      [volumeOf(whole(2, 'striped', 'stripe_count = 2 stripe_size = 3000 stripes = ["pv0", 0, "pv0", 9]'))],
      /stripes of 1536000 bytes do not fill/,
    ],
    [
      [volumeOf(whole(2, 'striped', 'stripe_count = 2 stripes = ["pv0", 0, "pv0", 9]'))],
      /stripe_size" is missing/,
    ],
    [[volumeOf(whole(2, 'thin', 'thin_pool = "none" transaction_id = 1 device_id = 1'))], /lies on "none"/],
    [
      [volumeOf(whole(2, 'thin', 'thin_pool = "a" transaction_id = 1 device_id = 16777216'))],
      /device_id" is 16777216/,
    ],
    [[volumeOf(linear(0, 2, '"a", 0'))], /"a" is made of itself, or lies too deep/],
    [
      [volumeOf(linear(0, 2, '"b", 0')), { name: 'b', segments: [linear(0, 1, '"pv0", 0')] }],
      /"a" uses "b" up to extent 2, it has 1/,
    ],
    [[volumeOf(whole(2, 'snapshot', 'chunk_size = 8 origin = "a"'))], /cow_store" is missing/],
    [[{ name: '../../etc', segments: [] }], /"\.\.\/\.\.\/etc" is not a valid name of a logical volume/],
    [[{ name: '..', segments: [] }], /not a valid name/],
  ]
  for (const [volumes, found] of cases) {
    await assert.rejects(groupOf(oneDevice(...volumes)), (error) => {
      assert(error instanceof FormatError, String(error))
      assert.match(error.message, found)
      assert(error.offsetBytes > AREA.offset)
      return true
    })
  }
})

test('parseGroupText() refuses what is not the text of one group', () => {
  const sound = groupText(oneDevice())
  const cases: readonly (readonly [text: string, found: RegExp])[] = [
    [sound.replace('Text Format Volume Group', 'Something'), /its contents are "Something"/],
    [sound.replace('version = 1', 'version = 2'), /"version" is 2, expected a whole number of 1 to 1/],
    [`${sound} other { }`, /it describes 2 volume groups, expected 1/],
    [sound.replace(/^group /u, '"../up" '), /"\.\.\/up" is not a valid name of a volume group/],
    [sound.replace(/seqno = 1/u, `seqno = ${'9'.repeat(24)}`), /"group\/seqno" is 1e\+24/],
    [sound.replace(lvmUuid('group'), 'short'), /the id of "group" is not of the form/],
    ['', /"contents" is missing/],
  ]
  for (const [text, found] of cases) {
    assert.throws(() => parseGroupText(new TextEncoder().encode(text), textPlace), found)
  }
})

test('parseVolumeGroup() reads ten thousand volumes in little time', () => {
  const volumes = Array.from({ length: 10_000 }, (_, index) => ({
    name: `volume${index}`,
    segments: [linear(0, 1, '"pv0", 0')],
  }))
  const bytes = new TextEncoder().encode(groupText(oneDevice(...volumes)))
  const text = parseGroupText(bytes, textPlace)
  assert.equal(parseVolumeGroup(text).logicalVolumes.length, 10_000)
})

test('assembleVolumeGroups() takes the newest copy, and names the others', async () => {
  const old = groupText({ ...oneDevice(), seqno: 4 })
  const now = groupText({ ...oneDevice({ name: 'a', segments: [linear(0, 1, '"pv0", 0')] }), seqno: 5 })
  const { groups, findings } = assembleVolumeGroups([await physicalVolume(UUIDS[0], [old, now])])
  assert.equal(groups[0]?.seqno, 5)
  assert.equal(groups[0].logicalVolumes.length, 1)
  assert.match(findings[0]?.found ?? '', /it is of seqno 4, expected 5 as in the newest copy/)
})

test('assembleVolumeGroups() uses a sound copy where the other cannot be parsed', async () => {
  const sound = groupText(oneDevice())
  const volume = await physicalVolume(UUIDS[0], [
    sound.replace('extent_size = 2048', 'extent_size = "'),
    sound,
  ])
  const { groups, findings } = assembleVolumeGroups([volume])
  assert.equal(groups.length, 1)
  assert.match(findings[0]?.found ?? '', /found|closing quote/)
})

test('assembleVolumeGroups() refuses a group of two truths, but not for the time of writing', async () => {
  const one = groupText(oneDevice())
  const two = groupText(oneDevice({ name: 'a', segments: [linear(0, 1, '"pv0", 0')] }))
  const split = assembleVolumeGroups([await physicalVolume(UUIDS[0], [one, two])])
  assert.equal(split.groups.length, 0)
  assert.match(split.damaged[0]?.error.message ?? '', /another copy is of seqno 1 too, and differs/)
  const later = groupText({ ...oneDevice(), creationTime: 1 })
  const same = assembleVolumeGroups([await physicalVolume(UUIDS[0], [one, later])])
  assert.equal(same.groups.length, 1)
})

test('assembleVolumeGroups() does not fall back to an older copy when the newest makes no sense', async () => {
  const old = groupText({ ...oneDevice(), seqno: 4 })
  const now = groupText({ ...oneDevice({ name: 'a', segments: [linear(3, 1, '"pv0", 0')] }), seqno: 5 })
  const { groups, damaged, unclaimed } = assembleVolumeGroups([await physicalVolume(UUIDS[0], [old, now])])
  assert.deepEqual([groups.length, damaged[0]?.name, unclaimed], [0, 'group', [0]])
})

test('assembleVolumeGroups() names what is missing, and maps what does not need it', async () => {
  const draft = {
    devices: [UUIDS[0], UUIDS[1]],
    volumes: [
      { name: 'here', segments: [linear(0, 2, '"pv0", 0')] },
      { name: 'both', segments: [linear(0, 2, '"pv0", 2'), linear(2, 2, '"pv1", 0')] },
    ],
  }
  const { groups } = assembleVolumeGroups([await physicalVolume(UUIDS[0], [groupText(draft)])])
  const [group] = groups
  assert(group !== undefined)
  assert.deepEqual(
    group.physicalVolumes.map((device) => device.image?.index ?? null),
    [0, null],
  )
  assert.equal(mapOf(group, 'here').length, 1)
  assert.throws(
    () => mapOf(group, 'both'),
    (error) =>
      error instanceof UnmappedError &&
      error.what === 'missing physical volume' &&
      error.message.includes(`physical volume "pv1" (${UUIDS[1]}, last seen as "/dev/sdb") is missing`),
  )
  assert.deepEqual(freeRanges(group, 1), [])
})

test('assembleVolumeGroups() joins devices in any order, also one without metadata', async () => {
  const text = groupText({
    devices: [UUIDS[0], UUIDS[1]],
    volumes: [{ name: 'a', segments: [linear(0, 1, '"pv0", 0'), linear(1, 1, '"pv1", 0')] }],
  })
  const { groups, unclaimed } = assembleVolumeGroups([
    await physicalVolume(UUIDS[2], []),
    await physicalVolume(UUIDS[1], []),
    await physicalVolume(UUIDS[0], [text]),
  ])
  const [group] = groups
  assert(group !== undefined)
  assert.deepEqual(
    group.physicalVolumes.map((device) => device.image?.index),
    [2, 1],
  )
  assert.deepEqual(unclaimed, [0])
  assert.deepEqual(
    mapOf(group, 'a').map((extent) => extent.kind === 'data' && [extent.device, extent.physicalOffset]),
    [
      [0, MIB],
      [1, MIB],
    ],
  )
})

test('assembleVolumeGroups() refuses the same physical volume twice', async () => {
  const volume = await physicalVolume(UUIDS[0], [groupText(oneDevice())])
  assert.throws(
    () => assembleVolumeGroups([volume, volume]),
    (error) => error instanceof UnmappedError && /images 0 and 1 both hold/.test(error.message),
  )
})

test('assembleVolumeGroups() keeps a device apart that says it is of another group', async () => {
  const one = groupText({ devices: [UUIDS[0], UUIDS[1]], volumes: [] })
  const other = groupText({ devices: [UUIDS[1]], volumes: [], name: 'other', uuid: lvmUuid('other') })
  const volumes = [await physicalVolume(UUIDS[0], [one]), await physicalVolume(UUIDS[1], [other])]
  const { groups } = assembleVolumeGroups(volumes)
  assert.deepEqual(
    groups.map((group) => group.physicalVolumes.map((device) => device.image?.index ?? null)),
    [[0, null], [1]],
  )
  const left = groupText({ devices: [UUIDS[0]], volumes: [], seqno: 9 })
  const removed = assembleVolumeGroups([
    await physicalVolume(UUIDS[0], [left]),
    await physicalVolume(UUIDS[1], [one]),
  ])
  assert.deepEqual(removed.unclaimed, [1])
  assert.match(removed.findings.map(({ found }) => found).join(), /which does not have it/)
})

test('assembleVolumeGroups() says when two segments lie on one extent, or the device is too short', async () => {
  const text = groupText(
    oneDevice(
      { name: 'a', segments: [linear(0, 4, '"pv0", 0')] },
      { name: 'b', segments: [linear(0, 4, '"pv0", 3')] },
      { name: 'far', segments: [linear(0, 1, '"pv0", 60')] },
    ),
  )
  const { groups, findings } = assembleVolumeGroups([
    await physicalVolume(UUIDS[0], [text], { sizeBytes: 32 * MIB }),
  ])
  assert.match(findings[0]?.found ?? '', /its extents end at byte 67108864, the image has 33554432/)
  assert.match(findings[1]?.found ?? '', /two segments use its extent 3/)
  const [group] = groups
  assert(group !== undefined)
  assert.throws(() => mapOf(group, 'far'), FormatError)
  assert.deepEqual(freeRanges(group, 0), [{ offset: 8 * MIB, length: 24 * MIB }])
})

test('volumes that their group goes without are refused, although they are here', async () => {
  const text = groupText(oneDevice({ name: 'a', segments: [linear(0, 1, '"pv0", 0')] })).replace(
    'flags = []\n\t\t\tdev_size',
    'flags = ["MISSING"]\n\t\t\tdev_size',
  )
  const { groups, findings } = assembleVolumeGroups([await physicalVolume(UUIDS[0], [text])])
  assert.match(findings[0]?.found ?? '', /its group goes without it/)
  const [group] = groups
  assert(group !== undefined)
  assert.throws(() => mapOf(group, 'a'), /is one that its group goes without/)
})

test('what is not mapped is refused by its name, and keeps what it lies on', async () => {
  const types = ['raid5', 'raid10', 'cache', 'cache-pool', 'cache+CACHE_USES_CACHEVOL', 'writecache']
  types.push('vdo', 'vdo-pool', 'integrity', 'error', 'something-new')
  const volumes = types.map((type, index) => ({
    name: `v${index}`,
    segments: [whole(2, type, 'anything = ["other", "thing"] inner { value = 1 }')],
  }))
  const group = await groupOf(oneDevice(...volumes))
  for (const [index, type] of types.entries()) {
    assert.throws(
      () => mapOf(group, `v${index}`),
      (error) => error instanceof UnmappedError && error.what === `${type} logical volume`,
    )
  }
  assert.equal(freeRanges(group, 0).length, 1)
  const direct = await groupOf({
    devices: [UUIDS[0], UUIDS[1]],
    volumes: [{ name: 'v', segments: [whole(2, 'something-new', 'legs { first = ["pv1", 3] }')] }],
  })
  assert.deepEqual(freeRanges(direct, 1), [])
  assert.equal(freeRanges(direct, 0).length, 1)
})

test('logicalVolumeExtents() follows volumes on volumes', async () => {
  const group = await groupOf({
    devices: [UUIDS[0], UUIDS[1]],
    volumes: [
      {
        name: 'top',
        segments: [whole(4, 'striped', 'stripe_count = 2 stripe_size = 1024 stripes = ["low", 1, "pv1", 9]')],
      },
      { name: 'low', segments: [linear(0, 2, '"pv0", 20'), linear(2, 2, '"pv0", 40')] },
    ],
  })
  const map = mapOf(group, 'top')
  assert.equal(map.length, 8)
  const half = MIB / 2
  assert.deepEqual(
    map.map((extent) => (extent.kind === 'data' ? [extent.device, extent.physicalOffset / half] : [])),
    [
      [0, 44],
      [1, 20],
      [0, 45],
      [1, 21],
      [0, 82],
      [1, 22],
      [0, 83],
      [1, 23],
    ],
  )
})

/** Where a byte of the volume below lies, by the definition of stripes. */
function placeOfByte(offset: number): readonly [device: number, physicalOffset: number] | null {
  if (offset >= 7 * MIB) return [2, MIB + 20 * MIB + offset - 7 * MIB]
  if (offset >= 6 * MIB) return null
  const stripe = Math.floor(offset / 4096)
  const device = stripe % 3
  return [device, MIB + (device + 1) * MIB + Math.floor(stripe / 3) * 4096 + (offset % 4096)]
}

test('openLogicalVolume() gives any range as the whole map has it', async () => {
  const group = await groupOf({
    devices: [...UUIDS],
    volumes: [
      {
        name: 'a',
        segments: [
          whole(6, 'striped', 'stripe_count = 3 stripe_size = 8 stripes = ["pv0", 1, "pv1", 2, "pv2", 3]'),
          `start_extent = 6\nextent_count = 1\ntype = "zero"`,
          linear(7, 3, '"pv2", 20'),
        ],
      },
    ],
  })
  const volume = named(group, 'a')
  const map = openLogicalVolume(group, volume)
  fc.assert(
    fc.property(fc.nat(volume.sizeBytes - 1), fc.integer({ min: 1, max: 40_000 }), (offset, wanted) => {
      const length = Math.min(wanted, volume.sizeBytes - offset)
      let position = offset
      for (const extent of map.extentsIn({ offset, length })) {
        assert.equal(extent.offset, position)
        position += extent.length
        for (const within of [0, extent.length - 1]) {
          const place = extent.kind === 'data' ? [extent.device, extent.physicalOffset + within] : null
          assert.deepEqual(place, placeOfByte(extent.offset + within))
        }
      }
      assert.equal(position, offset + length)
    }),
  )
})

test('logicalVolumeExtents() stops when the signal says so', async () => {
  const striped = whole(60, 'striped', 'stripe_count = 2 stripe_size = 8 stripes = ["pv0", 0, "pv0", 30]')
  const group = await groupOf(oneDevice({ name: 'a', segments: [striped] }))
  const extents = logicalVolumeExtents(group, named(group, 'a'), { signal: AbortSignal.abort() })
  assert.throws(() => [...extents], { name: 'AbortError' })
})

test('volumeContent() refuses, by name, what shows bytes from elsewhere', async () => {
  const group = await groupOf({ devices: [UUIDS[0], UUIDS[1]], volumes: EVERY_KIND })
  assert.throws(() => volumeContent(group, named(group, 'pool')), /it shows nothing itself/)
  assert.throws(() => volumeContent(group, named(group, 'thin3')), {
    what: 'external origin',
    message: /lies on "ro", outside its pool/,
  })
  assert.throws(() => thinPool(group, named(group, 'lin')), { what: 'no thin pool' })
  assert.equal(volumeContent(group, named(group, 'lin')).kind, 'segments')
  assert.equal(volumeContent(group, named(group, 'snapshot0')).kind, 'snapshot')
  const thin = 'type = "thin" thin_pool = "pool" transaction_id = 1 device_id = 9'
  const two = [`start_extent = 0 extent_count = 1 ${thin}`, `start_extent = 1 extent_count = 1 ${thin}`]
  const devices = [UUIDS[0], UUIDS[1]]
  const odd = await groupOf({ devices, volumes: [...EVERY_KIND, { name: 'odd', segments: two }] })
  assert.throws(() => volumeContent(odd, named(odd, 'odd')), { what: 'thin volume of several segments' })
  const merging = EVERY_KIND.map((volume) => ({
    ...volume,
    segments: volume.segments.map((segment) =>
      segment.replace('cow_store', 'merging_store').replace('origin = "thin1"', 'merge = "thin1"'),
    ),
  }))
  const merged = await groupOf({ devices: [UUIDS[0], UUIDS[1]], volumes: merging })
  for (const name of ['lin', 'snap', 'snapshot0', 'thin1', 'thin2']) {
    assert.throws(() => volumeContent(merged, named(merged, name)), { what: 'merging snapshot' }, name)
  }
})

test('ownRanges() and freeRanges() and what is used cover a device', async () => {
  const volumes = [{ name: 'a', segments: [linear(0, 5, '"pv0", 10')] }]
  const group = await groupOf(oneDevice(...volumes))
  assert.deepEqual(ownRanges(group, 0), [{ offset: 0, length: MIB }])
  assert.deepEqual(freeRanges(group, 0), [
    { offset: MIB, length: 10 * MIB },
    { offset: 16 * MIB, length: 48 * MIB },
  ])
  // An area that lies within the extents, as no tool makes it, is not free.
  const text = groupText(oneDevice(...volumes))
  const areas = [
    { ...AREA, text },
    { offset: 30 * MIB, sizeBytes: MIB },
  ]
  const odd = assembleVolumeGroups([await physicalVolume(UUIDS[0], [], { areas })])
  assert(odd.groups[0] !== undefined)
  assert.deepEqual(freeRanges(odd.groups[0], 0), [
    { offset: MIB, length: 10 * MIB },
    { offset: 16 * MIB, length: 14 * MIB },
    { offset: 31 * MIB, length: 33 * MIB },
  ])
})

test('a changed text, its checksum mended, gives a group or a clear error', async () => {
  const text = groupText({ devices: [UUIDS[0], UUIDS[1]], volumes: EVERY_KIND })
  const bytes = new TextEncoder().encode(text)
  const label = await physicalVolume(UUIDS[0], [])
  const inserts = ['0', '-', '9', '{', '}', '[', ']', '"', ',', '=', 'pv0', 'lin', ' ', '\0', '1e9']
  const changes = fc.record({
    position: fc.nat(bytes.length - 1),
    removed: fc.integer({ min: 0, max: 12 }),
    inserted: fc.constantFrom('', ...inserts),
  })
  const run = fc.property(fc.array(changes, { minLength: 1, maxLength: 3 }), (list) => {
    let changed = text
    for (const { position, removed, inserted } of list) {
      changed = changed.slice(0, position) + inserted + changed.slice(position + removed)
    }
    const copy = { bytes: new TextEncoder().encode(changed), checksum: 0, offsetOf: (at: number) => at }
    const { groups } = assembleVolumeGroups([{ ...label, texts: [copy] }])
    for (const group of groups) {
      for (const volume of group.logicalVolumes) {
        try {
          volumeContent(group, volume)
          for (const batch of logicalVolumeExtents(group, volume)) assert(batch.length > 0)
        } catch (error) {
          if (!(error instanceof FormatError) && !(error instanceof UnmappedError)) throw error
        }
      }
      for (const index of group.physicalVolumes.keys()) {
        freeRanges(group, index)
        ownRanges(group, index)
      }
    }
  })
  fc.assert(run, { numRuns: 1000 })
})
