import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import type { LvmVolume } from '../../domain/logical-volume.ts'
import type { EmptySnapshot, LvmTools } from './lvm-tools.ts'

/**
 * Takes back the device of a thin snapshot that LVM made, and holds its number ready: the pool itself makes it anew
 * while the origin is suspended. LVM, told to make one of a volume that is suspended already, only notes that the pool
 * is to be told later, which would be another moment. It removes such a snapshot like any other, also when somebody was
 * killed between the two and the device is missing.
 */
export async function emptyThinSnapshot(
  tools: LvmTools,
  { made, origin }: { readonly made: LvmVolume; readonly origin: LvmVolume },
  signal: AbortSignal,
): Promise<EmptySnapshot> {
  const { groupName, name, thinId } = made
  const { poolName, thinId: originThinId } = origin
  if (thinId === null || poolName === null || originThinId === null) {
    const message = `Cannot freeze "${groupName}/${origin.name}": its snapshot "${name}" is not in a pool`
    throw new BackupError(ErrorCode.FreezeFailed, message)
  }
  const pool = { groupName, poolName }
  await tools.poolMessage(pool, `delete ${thinId}`, signal)
  return { begin: () => tools.poolMessage(pool, `create_snap ${thinId} ${originThinId}`, signal) }
}
