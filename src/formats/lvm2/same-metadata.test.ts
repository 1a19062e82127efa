import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PhysicalVolume } from './physical-volume.ts'
import { isSameMetadata } from './same-metadata.ts'

function volume(change: Partial<PhysicalVolume> = {}, text = 'vg0 {}'): PhysicalVolume {
  const bytes = new TextEncoder().encode(text)
  const label = {
    uuid: 'a',
    offset: 512,
    deviceSizeBytes: 4096,
    dataAreas: [],
    metadataAreas: [{ offset: 4096, sizeBytes: 4096 }],
    bootLoaderAreas: [],
    extensionVersion: 1,
    isUsed: true,
  }
  return {
    label,
    imageSizeBytes: 4096,
    texts: [{ bytes, checksum: 7, offsetOf: (position) => position }],
    hasUnreadArea: false,
    findings: [],
    ...change,
  }
}

test('isSameMetadata() is true of two readings of the same bytes', () => {
  assert.equal(isSameMetadata([volume(), volume()], [volume(), volume()]), true)
  assert.equal(isSameMetadata([], []), true)
})

test('isSameMetadata() is false when anything differs, or could not be read', () => {
  const { label } = volume()
  const finding = { structure: 's', offsetBytes: 0, found: 'odd' }
  const others: Readonly<Record<string, PhysicalVolume>> = {
    'another text of the same checksum': volume({}, 'vg1 {}'),
    'no text': volume({ texts: [] }),
    'another device': volume({ label: { ...label, uuid: 'b' } }),
    'another size': volume({ imageSizeBytes: 8192 }),
    'an area that was not read': volume({ hasUnreadArea: true }),
    'something odd': volume({ findings: [finding] }),
  }
  for (const [what, other] of Object.entries(others)) {
    assert.equal(isSameMetadata([volume()], [other]), false, what)
    assert.equal(isSameMetadata([other], [volume()]), false, what)
  }
  assert.equal(isSameMetadata([volume()], [volume(), volume()]), false)
})
