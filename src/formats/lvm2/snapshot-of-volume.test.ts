import assert from 'node:assert/strict'
import { test } from 'node:test'

import { bytesImage } from '../../../test/support/bytes-image.ts'
import { physicalVolumeBytes } from '../../../test/support/lvm-image.ts'
import { EVERY_KIND, groupText, lvmUuid } from '../../../test/support/lvm-text.ts'
import { copyChunk, storeBytes } from '../../../test/support/snapshot-store.ts'
import { ExtentTable } from '../../extents/extent-table.ts'
import { mappedImage } from '../../images/mapped-image.ts'
import { readBytes } from '../../images/read-bytes.ts'
import { ExceptionStore } from '../dm-snapshot/exception-store.ts'
import { snapshotExtents } from '../dm-snapshot/snapshot-extents.ts'
import { assembleVolumeGroups } from './assemble-groups.ts'
import { findLogicalVolume } from './find-logical-volume.ts'
import { openLogicalVolume } from './logical-volume-extents.ts'
import { readPhysicalVolume } from './physical-volume.ts'
import { volumeContent } from './volume-content.ts'

const MIB = 1024 * 1024
const CHUNK = 4096

test('a classic snapshot is read through its store and its origin, down to the disk', async () => {
  const devices = [lvmUuid('pv0'), lvmUuid('pv1')]
  const text = groupText({ devices, volumes: EVERY_KIND })
  const areas = [{ offset: 4096, sizeBytes: 128 * 1024, text }]
  const disks = devices.map((uuid) => physicalVolumeBytes({ uuid, sizeBytes: 64 * MIB, areas }))
  const [disk] = disks
  assert(disk !== undefined)
  // The origin is the first 4 extents, its bytes now say 1; the store is the next 2, its copies say 2.
  disk.fill(1, MIB, 5 * MIB)
  const originChunks = [700, 3, 701, 702]
  disk.set(storeBytes({ originChunks }), 5 * MIB)
  for (const index of originChunks.keys()) {
    const copy = 5 * MIB + copyChunk(index, CHUNK / 16) * CHUNK
    disk.fill(2, copy, copy + CHUNK)
  }
  const images = disks.map((bytes) => bytesImage(bytes))
  const volumes = await Promise.all(images.map((image) => readPhysicalVolume(image)))
  const [group] = assembleVolumeGroups(volumes.flatMap((volume) => volume ?? [])).groups
  assert(group !== undefined)
  const snap = findLogicalVolume(group, 'snap')
  assert(snap !== null)
  const content = volumeContent(group, snap)
  assert(content.kind === 'snapshot')
  const layers = images.map((image, device) => ({ image, device, isMapped: false }))
  const originImage = mappedImage(openLogicalVolume(group, content.origin), layers)
  const storeImage = mappedImage(openLogicalVolume(group, content.store), layers)
  const store = await ExceptionStore.open(storeImage)
  assert.equal(store.chunkSizeBytes, content.chunkSizeBytes)
  const { sizeBytes } = content
  const map = await ExtentTable.read(snapshotExtents(store, { sizeBytes }, new AbortController().signal), {
    sizeBytes,
  })
  const snapshot = mappedImage(map, [
    { image: originImage, device: 0, isMapped: true },
    { image: storeImage, device: 0, isMapped: true },
  ])
  assert.equal(snapshot.sizeBytes, 4 * MIB)
  const bytes = await readBytes(snapshot, 0, snapshot.sizeBytes)
  for (let chunk = 0; chunk < sizeBytes / CHUNK; chunk += 1) {
    const expected = originChunks.includes(chunk) ? 2 : 1
    const part = bytes.subarray(chunk * CHUNK, (chunk + 1) * CHUNK)
    assert(
      part.every((byte) => byte === expected),
      `chunk ${chunk}`,
    )
  }
  const extents = []
  for await (const batch of snapshot.extents(
    { offset: 0, length: sizeBytes },
    new AbortController().signal,
  )) {
    extents.push(...batch)
  }
  // 0 to 2, 3, 4 to 699, 700, 701 and 702, the rest; all on the one disk.
  assert.equal(extents.length, 6)
  assert.deepEqual(extents[1], {
    kind: 'data',
    offset: 3 * CHUNK,
    length: CHUNK,
    device: 0,
    physicalOffset: 5 * MIB + 3 * CHUNK,
  })
})
