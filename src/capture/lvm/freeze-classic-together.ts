import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import { freezeTogether, type FreezeHow, type FreezeWindow } from './freeze-together.ts'
import type { Freezing } from './frozen-volumes.ts'
import type { EmptySnapshot, LvmTools } from './lvm-tools.ts'

/**
 * Classic snapshots in one moment. LVM makes one after the other, which takes its programs seconds, and all writers
 * would wait for that. So LVM makes the snapshots first, each in its own moment; what they have held since is taken back,
 * and while all volumes are suspended the kernel lets them begin anew.
 */
export async function freezeClassicTogether(
  tools: LvmTools,
  wanted: readonly Freezing[],
  how: Pick<FreezeHow, 'clock' | 'deadlineMs' | 'groups' | 'signal' | 'create'>,
): Promise<FreezeWindow> {
  const { groups, signal, create } = how
  const empty = new Map<Freezing, EmptySnapshot>()
  return await freezeTogether(tools, wanted, {
    ...how,
    beforeWindow: async (all) => {
      for (const one of all) await create(one)
      const volumes = await groups.volumes(
        all.map(({ origin }) => origin.groupUuid),
        signal,
      )
      for (const one of all) {
        const { name, origin } = one
        const made = volumes.find(
          (volume) =>
            volume.name === name && volume.groupUuid === origin.groupUuid && volume.isClassicSnapshot,
        )
        if (made === undefined) throw missing(one)
        empty.set(one, await tools.emptySnapshot(made, signal))
      }
    },
    inWindow: async (one) => {
      const snapshot = empty.get(one)
      if (snapshot === undefined) throw missing(one)
      await snapshot.begin()
    },
  })
}

function missing({ origin, name }: Freezing): BackupError {
  const message = `Cannot freeze "${origin.groupName}/${origin.name}": snapshot "${name}" that was just made is not in its group`
  return new BackupError(ErrorCode.FreezeFailed, message)
}
