import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import { errnoMeaning } from '../../domain/errno.ts'
import type { LvmVolume } from '../../domain/logical-volume.ts'
import { allocateAligned } from '../aligned-memory.ts'
import { blockFolderOf, readSysfs } from '../sysfs.ts'
import { mapperName } from './device-mapper-status.ts'
import { askMapper } from './ask-mapper.ts'
import { openMapperCalls } from './mapper-calls.ts'
import { runDmsetup } from './run-lvm.ts'
import { mapperUuid } from './volume-uuid.ts'

/** The header of a store, which says that there are exceptions behind it, lies in the first of these bytes. */
const HEADER_BYTES = 4096
/** Never written to. */
let zeros: Uint8Array | undefined
const DEVICE_NUMBER = '[0-9]{1,9}:[0-9]{1,9}'

/** A classic snapshot that holds nothing yet. */
export type EmptySnapshot = {
  /** From now on it has what its origin has at this moment; the origin is suspended. */
  begin(): Promise<void>
}

/**
 * Takes back what a classic snapshot has held since LVM made it, and holds it ready to begin anew, which takes a moment
 * and no memory. Until it begins, reading it fails. Throws FREEZE_FAILED.
 */
export async function emptySnapshot(snapshot: LvmVolume, signal: AbortSignal): Promise<EmptySnapshot> {
  const label = `${snapshot.groupName}/${snapshot.name}`
  const device = mapperName(snapshot.groupName, snapshot.name)
  const how = { action: `let snapshot "${label}" begin anew`, code: ErrorCode.FreezeFailed, signal }
  const table = await askMapper({ what: 'table', device }, how)
  await explain(label, async () => {
    const { length, store } = parseSnapshotTable(table)
    const path = await storePath(snapshot, store)
    // The kernel keeps a store's exceptions in memory as long as anything has it for a snapshot.
    await loadTable(device, `0 ${length} error`, how)
    await resume(device, how)
    await clearHeader(path)
    await loadTable(device, table.trim(), how)
  })
  return {
    begin: () => explain(label, () => resume(device, { ...how, signal: new AbortController().signal })),
  }
}

/**
 * Gives up that a snapshot was to begin anew: a table that is only held ready keeps LVM from removing the snapshot. Any
 * other volume stays as it is, and one that has no device.
 */
export async function takeHeldTable({ groupName, name }: LvmVolume): Promise<void> {
  const { signal } = new AbortController()
  const action = `remove snapshot "${groupName}/${name}"`
  try {
    await resume(mapperName(groupName, name), { action, code: ErrorCode.FreezeFailed, signal })
  } catch {
    // LVM says what is in the way when it removes it.
  }
}

type How = { readonly action: string; readonly code: ErrorCode; readonly signal: AbortSignal }

async function loadTable(device: string, table: string, how: How): Promise<void> {
  using calls = openMapperCalls()
  if (calls !== null) await calls.loadReadOnly(device, table)
  else await runDmsetup(['load', '--readonly', '--table', table, device], how)
}

async function resume(device: string, how: How): Promise<void> {
  using calls = openMapperCalls()
  if (calls !== null) await calls.resume(device)
  else await runDmsetup(['resume', device], how)
}

/** Of `dmsetup table`: the kernel's documentation of snapshots. Throws RangeError. */
export function parseSnapshotTable(table: string): { readonly length: string; readonly store: string } {
  // 0 204800 snapshot 253:4 253:5 P 8
  const pattern = new RegExp(
    `^0 ([0-9]{1,18}) snapshot ${DEVICE_NUMBER} (${DEVICE_NUMBER}) PO? [0-9]{1,9}\\n$`,
  )
  const [, length, store] = pattern.exec(table) ?? []
  if (length !== undefined && store !== undefined) return { length, store }
  throw new RangeError(`its table is "${table.trim().slice(0, 200)}", expected one persistent snapshot`)
}

/** Throws RangeError unless the device is the store of this very snapshot. */
async function storePath(snapshot: LvmVolume, deviceNumber: string): Promise<string> {
  const folder = await blockFolderOf(deviceNumber)
  const found = folder === null ? null : await readSysfs(`${folder}/dm/uuid`)
  const expected = `${mapperUuid(snapshot)}-cow`
  if (folder !== null && found === expected) return `/dev/${folder.slice(folder.lastIndexOf('/') + 1)}`
  throw new RangeError(`its store ${deviceNumber} is "${found ?? ''}", expected "${expected}"`)
}

async function clearHeader(path: string): Promise<void> {
  // Nothing else has it: neither the snapshot any more, nor a file system, ever.
  const flags = constants.O_WRONLY | constants.O_DIRECT | constants.O_EXCL
  await using store = await open(path, flags)
  zeros ??= allocateAligned(HEADER_BYTES)
  const { bytesWritten } = await store.write(zeros, 0, HEADER_BYTES, 0)
  if (bytesWritten !== HEADER_BYTES) throw new RangeError(`its store took ${bytesWritten} bytes`)
  await store.datasync()
}

async function explain(label: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (cause) {
    if (cause instanceof BackupError) throw cause
    const found = cause instanceof RangeError ? cause.message : (errnoMeaning(cause) ?? String(cause))
    const message = `Cannot freeze several volumes in one moment: snapshot "${label}" cannot begin anew, ${found}`
    throw new BackupError(ErrorCode.FreezeFailed, message, { data: { snapshot: label }, cause })
  }
}
