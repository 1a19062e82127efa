import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import type { LvmVolume } from '../../domain/logical-volume.ts'
import { freezeTogether, type FreezeHow, type FreezeWindow } from './freeze-together.ts'
import type { Freezing } from './frozen-volumes.ts'
import type { LvmTools } from './lvm-tools.ts'

/**
 * Thin snapshots in one moment. LVM makes one after the other, and of a volume that is suspended already it only notes
 * that the pool is to be told later, which would be another moment. So LVM makes the snapshots first, each in its own
 * moment, with their numbers in the pool; these devices are deleted again, and while all volumes are suspended the pool
 * itself makes them anew under the same numbers. LVM removes such a snapshot like any other, also when it was killed
 * between the two and the device is missing.
 */
export async function freezeThinTogether(
  tools: LvmTools,
  wanted: readonly Freezing[],
  how: Pick<FreezeHow, 'clock' | 'deadlineMs' | 'groups' | 'signal'>,
): Promise<FreezeWindow> {
  const { groups, signal } = how
  const devices = new Map<Freezing, ThinDevice>()
  return await freezeTogether(tools, wanted, {
    ...how,
    create: (one) => tools.createThinSnapshot(one, signal),
    beforeWindow: async (all) => {
      for (const one of all) await tools.createThinSnapshot(one, signal)
      const volumes = await groups.volumes(
        all.map(({ origin }) => origin.groupUuid),
        signal,
      )
      for (const one of all) {
        const device = thinDevice(volumes, one)
        devices.set(one, device)
        await tools.poolMessage(device, `delete ${device.thinId}`, signal)
      }
    },
    inWindow: async (one) => {
      const device = devices.get(one)
      if (device === undefined) throw missing(one)
      await tools.poolMessage(device, `create_snap ${device.thinId} ${device.originThinId}`, signal)
    },
  })
}

type ThinDevice = {
  readonly groupName: string
  readonly poolName: string
  readonly thinId: number
  readonly originThinId: number
}

function thinDevice(volumes: readonly LvmVolume[], one: Freezing): ThinDevice {
  const { origin, name } = one
  const made = volumes.find((volume) => volume.name === name && volume.groupUuid === origin.groupUuid)
  const { poolName, thinId: originThinId } = origin
  if (made?.thinId == null || poolName === null || originThinId === null) throw missing(one)
  return { groupName: origin.groupName, poolName, thinId: made.thinId, originThinId }
}

function missing({ origin, name }: Freezing): BackupError {
  const message = `Cannot freeze "${origin.groupName}/${origin.name}": snapshot "${name}" that was just made is not in its pool`
  return new BackupError(ErrorCode.FreezeFailed, message)
}
