import type { DeviceIdentity } from '../../domain/device-identity.ts'
import { type BlockDisk, blockDisks } from '../../linux/doctor/block-disks.ts'
import { lvmSight } from '../../linux/doctor/lvm-sight.ts'
import { multipathState } from '../../linux/doctor/multipath-state.ts'
import { tryDisk } from '../../linux/doctor/try-disk.ts'
import { checkDiskGeometry } from './disk-geometry-check.ts'
import { checkDiskUsers } from './disk-users-check.ts'
import { checkDuplicateDisks } from './duplicate-disks-check.ts'
import type { Finding } from './finding.ts'
import { checkLvmSight } from './lvm-sight-check.ts'
import { checkMultipath } from './multipath-check.ts'
import { checkReadableDisks } from './readable-disks-check.ts'
import type { DiskPair, TriedDisk } from './seen-disk.ts'
import { checkVisibleDisks } from './visible-disks-check.ts'
import { checkWriteProtection } from './write-protection-check.ts'

/** Whether this host can read the disks of an agent's host itself, and does nothing else with them. */
export async function lookAtDisks(
  wanted: readonly DeviceIdentity[],
  agent: string,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const here = await blockDisks()
  const pairs: DiskPair[] = []
  for (const one of wanted) pairs.push({ wanted: one, found: await tried(one, here) })
  const visible = checkVisibleDisks(pairs, agent)
  if (pairs.every(({ found }) => found.length === 0)) return visible
  const shared = here.filter(({ identity }) =>
    wanted.some(({ name }) => name !== null && name === identity.name),
  )
  return [
    ...visible,
    ...checkDuplicateDisks(pairs),
    ...checkDiskGeometry(pairs),
    ...checkReadableDisks(pairs),
    ...checkMultipath({ disks: shared, ...(await multipathState()) }),
    ...checkDiskUsers(pairs),
    ...checkLvmSight(await lvmSight(signal), pairs),
    ...checkWriteProtection(pairs),
  ]
}

async function tried(wanted: DeviceIdentity, here: readonly BlockDisk[]): Promise<readonly TriedDisk[]> {
  if (wanted.name === null) return []
  const same = here.filter(({ identity }) => identity.name === wanted.name)
  const maps = same.filter(({ kind }) => kind === 'map')
  // Through one of the paths below a map nothing is read, and LVM speaks of the map.
  return await Promise.all(
    (maps.length > 0 ? maps : same).map(async (disk) => ({ ...disk, ...(await tryDisk(disk.path)) })),
  )
}
