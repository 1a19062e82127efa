import type { DeviceIdentity } from '../../domain/device-identity.ts'
import type { BlockDisk } from '../../linux/doctor/block-disks.ts'
import type { DiskTrial } from '../../linux/doctor/try-disk.ts'

/** A disk of this host that the agent also sees, looked at more closely. */
export type TriedDisk = BlockDisk & DiskTrial

/** A disk of the agent's host, and what of this host is the same disk. */
export type DiskPair = { readonly wanted: DeviceIdentity; readonly found: readonly TriedDisk[] }

/** What is read: the map where there is one, else the only way; null where there is none, or several. */
export function readThrough({ found }: DiskPair): TriedDisk | null {
  const maps = found.filter(({ kind }) => kind === 'map')
  const ways = maps.length > 0 ? maps : found
  return ways.length === 1 ? (ways[0] ?? null) : null
}

/** The disks that are read, with the agent's view of each. */
export function readDisks(
  pairs: readonly DiskPair[],
): readonly { readonly wanted: DeviceIdentity; readonly disk: TriedDisk }[] {
  return pairs.flatMap((pair) => {
    const disk = readThrough(pair)
    return disk === null ? [] : [{ wanted: pair.wanted, disk }]
  })
}
