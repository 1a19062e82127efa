import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode, isBackupError } from '../../domain/backup-error.ts'
import type { LvmVolume, PoolStatus } from '../../domain/logical-volume.ts'
import { requireRoomInPool } from './pool-budget.ts'
import { storeSizeFor, storeSizes } from './store-size.ts'

const GIB = 2 ** 30
const pool = { groupName: 'vg0', groupUuid: 'u', poolName: 'pool' }
/** 100 GiB in blocks of 64 KiB, half full; 128 MiB of metadata. */
const status: PoolStatus = {
  transactionId: 1,
  metadataUsedBlocks: 8000,
  metadataTotalBlocks: 32_768,
  dataUsedBlocks: 819_200,
  dataTotalBlocks: 1_638_400,
  dataSizeBytes: 100 * GIB,
  hasMetadataSnapshot: false,
  trouble: null,
}

function isNoRoom(error: unknown): boolean {
  return isBackupError(error, ErrorCode.NoRoomToFreeze)
}

test('requireRoomInPool() lets a volume be frozen where what may change fits', () => {
  requireRoomInPool(pool, status)
  requireRoomInPool(pool, status, { changedBytes: 44 * GIB, volumeBytes: 50 * GIB })
})

test('requireRoomInPool() refuses with numbers what does not fit into the data', () => {
  assert.throws(
    () => requireRoomInPool(pool, status, { changedBytes: 46 * GIB, volumeBytes: 50 * GIB }),
    isNoRoom,
  )
  const full = { ...status, dataUsedBlocks: 1_600_000 }
  assert.throws(
    () => requireRoomInPool(pool, full),
    /its data is 97\.7 % full, up to 95\.0 % there is room for 0 B/,
  )
})

test('requireRoomInPool() refuses what does not fit into the metadata', () => {
  // All leaves of 819,200 mappings are copied by a scattered change of much less: 26 MiB do not fit into 10 MiB.
  const tight = { ...status, metadataTotalBlocks: 12_000 }
  assert.throws(
    () => requireRoomInPool(pool, tight, { changedBytes: 2 * GIB, volumeBytes: 50 * GIB }),
    /its metadata is 66\.7 % full/,
  )
  // A small change touches few of them, and so does any change of a small volume.
  requireRoomInPool(pool, tight, { changedBytes: GIB / 8, volumeBytes: 50 * GIB })
  requireRoomInPool(pool, tight, { changedBytes: 2 * GIB, volumeBytes: 8 * GIB })
})

test('requireRoomInPool() refuses a pool that does not take writes', () => {
  const error = { ...status, trouble: 'out_of_data_space' }
  assert.throws(
    () => requireRoomInPool(pool, error),
    (cause) => isBackupError(cause, ErrorCode.ImageLost),
  )
})

const origin: LvmVolume = {
  uuid: 'v',
  name: 'home',
  groupName: 'vg0',
  groupUuid: 'u',
  sizeBytes: 10 * GIB,
  segmentType: 'linear',
  isClassicSnapshot: false,
  isActive: true,
  poolName: null,
  thinId: null,
  originUuid: null,
  tags: [],
  createdAtMs: 0,
}
const group = { name: 'vg0', uuid: 'u', freeBytes: 3 * GIB, extentSizeBytes: 4 * 2 ** 20, diskPaths: [] }

test('storeSizeFor() takes a share of the origin in whole extents, and refuses with numbers', () => {
  assert.equal(storeSizeFor(origin, group), 2 * GIB)
  assert.equal(storeSizeFor({ ...origin, sizeBytes: 4 * 2 ** 20 }, group), 4 * 2 ** 20)
  assert.equal(storeSizeFor({ ...origin, sizeBytes: 81 * 2 ** 20 }, group) % group.extentSizeBytes, 0)
  assert.throws(() => storeSizeFor(origin, group, 0.5), isNoRoom)
  assert.throws(
    () => storeSizeFor(origin, { ...group, freeBytes: GIB }),
    /has 1[.0]* GiB free, required are 2[.0]* GiB/,
  )
})

test('storeSizes() asks each group once, and gives no room of it away twice', async () => {
  const asked: string[] = []
  const roomOf = (uuid: string): Promise<typeof group> => {
    asked.push(uuid)
    return Promise.resolve({ ...group, uuid })
  }
  const how = { roomOf, storeShare: undefined }
  const { signal } = new AbortController()
  const small = { ...origin, sizeBytes: 5 * GIB }
  const elsewhere = { ...origin, groupUuid: 'other' }
  const sizes = await storeSizes(how, [origin, small, elsewhere], signal)
  assert.deepEqual([...sizes.values()], [2 * GIB, GIB, 2 * GIB])
  assert.deepEqual(asked, ['u', 'other'])
  await assert.rejects(storeSizes(how, [origin, { ...origin }], signal), isNoRoom)
  const mirror = { ...origin, segmentType: 'raid1' }
  await assert.rejects(storeSizes(how, [mirror], signal), { code: ErrorCode.SourceUnsuitable })
})
