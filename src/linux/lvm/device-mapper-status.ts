// The status lines of device-mapper targets: the kernel's documentation of device-mapper, thin-provisioning and snapshot.
import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import type { PoolStatus, SnapshotStatus } from '../../domain/logical-volume.ts'

const SECTOR_BYTES = 512

/** Of `dmsetup status`, for a thin pool. Throws SOURCE_UNREADABLE. */
export function parsePoolStatus(line: string): PoolStatus {
  // 0 204800 thin-pool 5 14/1024 120/1600 - rw no_discard_passdown queue_if_no_space - 1024
  const [, sectors, target, transaction = '', metadata = '', data = '', held = '', ...rest] = line
    .trim()
    .split(/\s+/)
  if (target !== 'thin-pool' || sectors === undefined) throw unexpected('thin-pool', line)
  if (transaction === 'Fail' || transaction === 'Error') return failedPool(transaction)
  const [metadataUsedBlocks, metadataTotalBlocks] = fraction(metadata, line)
  const [dataUsedBlocks, dataTotalBlocks] = fraction(data, line)
  return {
    transactionId: Number(transaction),
    metadataUsedBlocks,
    metadataTotalBlocks,
    dataUsedBlocks,
    dataTotalBlocks,
    dataSizeBytes: Number(sectors) * SECTOR_BYTES,
    hasMetadataSnapshot: held !== '-',
    trouble: rest.includes('needs_check') ? 'needs_check' : (rest.find((word) => TROUBLE.has(word)) ?? null),
  }
}

const TROUBLE = new Set(['ro', 'out_of_data_space'])

function failedPool(what: string): PoolStatus {
  return {
    transactionId: 0,
    metadataUsedBlocks: 0,
    metadataTotalBlocks: 1,
    dataUsedBlocks: 0,
    dataTotalBlocks: 1,
    dataSizeBytes: 0,
    hasMetadataSnapshot: false,
    trouble: what,
  }
}

/** Of `dmsetup status`, for a classic snapshot. Throws SOURCE_UNREADABLE. */
export function parseSnapshotStatus(line: string): SnapshotStatus {
  // 0 204800 snapshot 16/8192 16; or instead of the numbers: Invalid, Overflow, Unknown, Merge failed.
  const [, , target, first = '', ...others] = line.trim().split(/\s+/)
  if (target === undefined) throw unexpected('snapshot', line)
  // Somebody put something else in its place.
  if (target !== 'snapshot') return { kind: 'lost', what: `it is ${target}` }
  if (!first.includes('/')) return { kind: 'lost', what: [first, ...others].join(' ') }
  const [usedSectors, totalSectors] = fraction(first, line)
  return { kind: 'whole', usedSectors, totalSectors }
}

function fraction(text: string, line: string): readonly [number, number] {
  const match = /^([0-9]{1,15})\/([0-9]{1,15})$/.exec(text)
  if (match === null) throw unexpected('used/total', line)
  return [Number(match[1]), Number(match[2])]
}

function unexpected(what: string, line: string): BackupError {
  const message = `Cannot understand what device-mapper says: found "${line.trim().slice(0, 200)}", expected ${what}`
  return new BackupError(ErrorCode.SourceUnreadable, message)
}

/** How device-mapper calls a logical volume: hyphens of names are doubled. */
export function mapperName(groupName: string, volumeName: string): string {
  return `${groupName.replaceAll('-', '--')}-${volumeName.replaceAll('-', '--')}`
}
