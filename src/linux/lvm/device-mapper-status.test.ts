import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode, isBackupError } from '../../domain/backup-error.ts'
import { mapperName, parsePoolStatus, parseSnapshotStatus } from './device-mapper-status.ts'

test('parsePoolStatus() reads what a pool that works says', () => {
  const line = '0 204800 thin-pool 5 14/1024 120/1600 - rw no_discard_passdown queue_if_no_space - 1024\n'
  assert.deepEqual(parsePoolStatus(line), {
    transactionId: 5,
    metadataUsedBlocks: 14,
    metadataTotalBlocks: 1024,
    dataUsedBlocks: 120,
    dataTotalBlocks: 1600,
    dataSizeBytes: 204800 * 512,
    hasMetadataSnapshot: false,
    trouble: null,
  })
  const reserved = '0 204800 thin-pool 5 14/1024 120/1600 17 rw discard_passdown error_if_no_space - 1024'
  assert.equal(parsePoolStatus(reserved).hasMetadataSnapshot, true)
})

test('parsePoolStatus() names the trouble of a pool', () => {
  const troubles = {
    '0 8 thin-pool Fail': 'Fail',
    '0 8 thin-pool Error': 'Error',
    '0 8 thin-pool 5 14/1024 16/16 - out_of_data_space discard_passdown queue_if_no_space - 9':
      'out_of_data_space',
    '0 8 thin-pool 5 14/1024 1/16 - ro discard_passdown queue_if_no_space - 9': 'ro',
    '0 8 thin-pool 5 14/1024 1/16 - rw discard_passdown queue_if_no_space needs_check 9': 'needs_check',
  }
  for (const [line, trouble] of Object.entries(troubles)) assert.equal(parsePoolStatus(line).trouble, trouble)
})

test('parseSnapshotStatus() tells a whole snapshot from a lost one', () => {
  const whole = { kind: 'whole', usedSectors: 16, totalSectors: 8192 }
  assert.deepEqual(parseSnapshotStatus('0 204800 snapshot 16/8192 16\n'), whole)
  assert.deepEqual(parseSnapshotStatus('0 204800 snapshot Invalid'), { kind: 'lost', what: 'Invalid' })
  assert.deepEqual(parseSnapshotStatus('0 204800 error'), { kind: 'lost', what: 'it is error' })
  assert.deepEqual(parseSnapshotStatus('0 204800 snapshot Merge failed'), {
    kind: 'lost',
    what: 'Merge failed',
  })
})

test('what is no such status is refused with what was found', () => {
  for (const line of ['', '0 8 linear', '0 8 thin-pool 5 14 1/16 - rw', '0 8 thin-pool 5 x/y 1/16 - rw']) {
    assert.throws(
      () => parsePoolStatus(line),
      (error) => isBackupError(error, ErrorCode.SourceUnreadable),
      line,
    )
  }
  assert.throws(() => parseSnapshotStatus('0 8'), /found "0 8"/)
  assert.throws(() => parseSnapshotStatus('0 8 snapshot 1/2/3 4'), /expected used\/total/)
})

test('mapperName() doubles the hyphens of names', () => {
  assert.equal(mapperName('vg0', 'home'), 'vg0-home')
  assert.equal(mapperName('my-vg', 'a-b--c'), 'my--vg-a--b----c')
})
