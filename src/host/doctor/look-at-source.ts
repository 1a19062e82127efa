import { storeSizes } from '../../capture/lvm/store-size.ts'
import { requireRoomInPool } from '../../capture/lvm/pool-budget.ts'
import { ErrorCode, isBackupError } from '../../domain/backup-error.ts'
import type { BlockDisk } from '../../linux/doctor/block-disks.ts'
import { disksUnder } from '../../linux/doctor/disks-under.ts'
import { hostLvm } from '../../linux/lvm/lvm-tools.ts'
import { type ChosenProvider, chooseProvider } from '../choose-provider.ts'
import type { SourceFacts } from './source-check.ts'

/** How one source would be frozen now, whether there is room, and what it lies on. Changes nothing. */
export async function lookAtSource(
  path: string,
  here: readonly BlockDisk[],
  signal: AbortSignal,
): Promise<SourceFacts> {
  let chosen: ChosenProvider
  try {
    chosen = await chooseProvider(path, { provider: 'auto', allowMounted: false }, signal)
  } catch (error) {
    if (!isBackupError(error)) throw error
    return { path, freezing: { kind: 'impossible', reason: error.message }, roomFailure: null, disks: [] }
  }
  const { provider, why, source } = chosen
  const isVolume = provider === 'lvm' || provider === 'lvm-thin'
  const disks = isVolume || provider === 'device' ? await disksUnder(source, here) : []
  return {
    path,
    freezing: { kind: 'possible', provider, why },
    roomFailure: isVolume ? await roomFailureOf(source, signal) : null,
    disks: disks.map((disk) => ({
      path: disk.path,
      name: disk.identity.name,
      sectorSizeBytes: disk.identity.sectorSizeBytes,
      transport: disk.transport,
    })),
  }
}

/** Why there is no room to freeze a volume; null when there is. */
async function roomFailureOf(path: string, signal: AbortSignal): Promise<string | null> {
  try {
    const id = await hostLvm.volumeIdAt(path)
    const volume = (await hostLvm.listVolumes(signal)).find((one) => one.uuid === id?.uuid)
    if (volume === undefined) return null
    const { groupName, groupUuid, poolName } = volume
    if (poolName === null) {
      await storeSizes({ roomOf: hostLvm.readGroup, storeShare: undefined }, [volume], signal)
      return null
    }
    const pool = { groupName, groupUuid, poolName }
    requireRoomInPool(pool, await hostLvm.poolStatus(pool, signal))
    return null
  } catch (error) {
    const isAnswer = isBackupError(error, ErrorCode.NoRoomToFreeze, ErrorCode.SourceUnsuitable)
    if (isAnswer || isBackupError(error, ErrorCode.SourceUnreadable, ErrorCode.ImageLost))
      return error.message
    throw error
  }
}
