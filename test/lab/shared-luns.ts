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

/** The hosts at a SAN. */
export type LunUsers = {
  /** The SAN's own. */
  readonly address: string
  readonly owner: string
  readonly mover: string
  /** By how many ways the mover comes to each disk; 1 unless said. */
  readonly moverPaths?: number
}

export type SharedLuns = {
  /** Puts what this image holds behind the identity of a LUN, as the mover sees it; the owner goes on with its own. */
  swapForMover(serial: string, image: string): Promise<void>
  /** A part of a LUN cannot be read by the mover; the owner goes on. */
  failForMover(
    serial: string,
    part: { readonly offsetMiB: number; readonly lengthMiB: number },
  ): Promise<void>
  /** The mover sees what the owner sees. */
  swapBack(serial: string): Promise<void>
}

/**
 * Makes a host a SAN with disks that an owner writes and a mover reads. Each disk has two doors with one identity, a
 * device-mapper table each, so that what lies behind one of them can be exchanged.
 */
export async function startSharedLuns(
  san: LabHost,
  where: LunUsers,
  luns: readonly LunOptions[],
): Promise<SharedLuns> {
  const tables = luns.flatMap((lun, index) => {
    const table = tableOf(lun, san.disks[index]?.path ?? '')
    return [ownerDoor(lun.serial), moverDoor(lun.serial)].map((door) => ['create', door, '--table', table])
  })
  for (const words of tables) await san.output(['dmsetup', ...words])
  const units = (door: (serial: string) => string, of: readonly LunOptions[]): Units =>
    of.map(({ serial }) => ({ device: `/dev/mapper/${door(serial)}`, serial }))
  const { address, owner, mover, moverPaths = 1 } = where
  const ofMover = (['read-only', 'read-write'] as const).flatMap((access) => {
    const some = luns.filter((lun) => lun.mover === access)
    if (some.length === 0) return []
    const initiators = { [mover]: access }
    return [{ address, paths: moverPaths, door: access, units: units(moverDoor, some), initiators }]
  })
  const ofOwner = {
    address,
    door: 'owner',
    units: units(ownerDoor, luns),
    initiators: { [owner]: 'read-write' },
  } as const
  await startSans(san, [ofOwner, ...ofMover])
  const lunOf = (serial: string): LunOptions & { readonly device: string } => {
    const index = luns.findIndex((one) => one.serial === serial)
    const [lun, disk] = [luns[index], san.disks[index]]
    if (lun === undefined || disk === undefined)
      throw new Error(`Cannot change "${serial}": the SAN has no such disk`)
    return { ...lun, device: disk.path }
  }
  const place = async (serial: string, table: string): Promise<void> => {
    const door = moverDoor(serial)
    await san.output(['dmsetup', 'load', door, '--table', table])
    await san.output(['dmsetup', 'suspend', door])
    await san.output(['dmsetup', 'resume', door])
  }
  return {
    swapForMover: async (serial, image) =>
      await place(serial, tableOf(lunOf(serial), (await san.plugDisk({ image, mode: 'own' })).path)),
    failForMover: async (serial, part) => {
      const lun = lunOf(serial)
      await place(serial, tableWithHole(lun, lun.device, part))
    },
    swapBack: async (serial) => {
      const lun = lunOf(serial)
      await place(serial, tableOf(lun, lun.device))
    },
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
  return `0 ${sectors(sizeMiB)} linear ${device} 0`
}

function sectors(mib: number): number {
  return (mib * MIB) / SECTOR_BYTES
}

/** The same, but for a part that answers with an error. */
function tableWithHole(
  { sizeMiB }: LunOptions,
  device: string,
  { offsetMiB, lengthMiB }: { readonly offsetMiB: number; readonly lengthMiB: number },
): string {
  const begin = sectors(offsetMiB)
  const end = sectors(offsetMiB + lengthMiB)
  return [
    `0 ${begin} linear ${device} 0`,
    `${begin} ${end - begin} error`,
    `${end} ${sectors(sizeMiB) - end} linear ${device} ${end}`,
  ].join('\n')
}
