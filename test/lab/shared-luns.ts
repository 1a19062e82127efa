import type { Lab } from './lab.ts'
import type { LabDisk } from './lab-disk.ts'
import type { LabHost } from './lab-host.ts'
import { startSans } from './iscsi.ts'

const MIB = 1024 * 1024
const SECTOR_BYTES = 512

export type LunOptions = {
  readonly serial: string
  readonly sizeMiB: number
  /** What the host that reads for backups may do with it. */
  readonly mover: 'read-only' | 'read-write'
}

export type SharedLuns = {
  /** Puts what this image holds behind the identity of a LUN, as the mover sees it; the owner goes on with its own. */
  swapForMover(serial: string, image: string): Promise<void>
  /** The mover sees what the owner sees. */
  swapBack(serial: string): Promise<void>
}

/**
 * Makes a host a SAN with disks that an owner writes and a mover reads. Each disk has two doors with one identity, a
 * device-mapper table each, so that what lies behind one of them can be exchanged.
 */
export async function startSharedLuns(
  san: LabHost,
  where: { readonly address: string; readonly owner: string; readonly mover: string },
  luns: readonly LunOptions[],
): Promise<SharedLuns> {
  const tables = luns.flatMap((lun, index) => {
    const table = tableOf(lun, san.disks[index]?.path ?? '')
    return [ownerDoor(lun.serial), moverDoor(lun.serial)].map((door) => ['create', door, '--table', table])
  })
  for (const words of tables) await san.output(['dmsetup', ...words])
  const units = (door: (serial: string) => string, of: readonly LunOptions[]): Units =>
    of.map(({ serial }) => ({ device: `/dev/mapper/${door(serial)}`, serial }))
  const { address, owner, mover } = where
  const ofMover = (['read-only', 'read-write'] as const).flatMap((access) => {
    const some = luns.filter((lun) => lun.mover === access)
    if (some.length === 0) return []
    return [{ address, door: access, units: units(moverDoor, some), initiators: { [mover]: access } }]
  })
  const ofOwner = {
    address,
    door: 'owner',
    units: units(ownerDoor, luns),
    initiators: { [owner]: 'read-write' },
  } as const
  await startSans(san, [ofOwner, ...ofMover])
  const place = async (serial: string, device: string): Promise<void> => {
    const lun = luns.find((one) => one.serial === serial)
    if (lun === undefined) throw new Error(`Cannot swap "${serial}": the SAN has no such disk`)
    const door = moverDoor(serial)
    await san.output(['dmsetup', 'load', door, '--table', tableOf(lun, device)])
    await san.output(['dmsetup', 'suspend', door])
    await san.output(['dmsetup', 'resume', door])
  }
  return {
    swapForMover: async (serial, image) =>
      await place(serial, (await san.plugDisk({ image, mode: 'own' })).path),
    swapBack: async (serial) =>
      await place(serial, san.disks[luns.findIndex((lun) => lun.serial === serial)]?.path ?? ''),
  }
}

type Units = readonly { readonly device: string; readonly serial: string }[]

/** The disks that the SAN's host must have, in the order of the LUNs. */
export function disksOfLuns(lab: Lab, luns: readonly LunOptions[]): readonly LabDisk[] {
  return luns.map(({ serial, sizeMiB }) => ({ image: lab.diskImage(serial, sizeMiB), mode: 'own' }))
}

function ownerDoor(serial: string): string {
  return `owner-${serial}`
}

function moverDoor(serial: string): string {
  return `mover-${serial}`
}

function tableOf({ sizeMiB }: LunOptions, device: string): string {
  return `0 ${(sizeMiB * MIB) / SECTOR_BYTES} linear ${device} 0`
}
