import { readFile, realpath, stat, statfs } from 'node:fs/promises'
import { BackupError, ErrorCode, isBackupError } from '../domain/backup-error.ts'
import type { LvmVolume, VolumeId } from '../domain/logical-volume.ts'
import { deviceUse } from '../linux/device-use.ts'
import { volumeIdAt } from '../linux/lvm/volume-uuid.ts'
import { parseMountInfo } from '../linux/mounts.ts'
import { isNbdUri } from '../nbd/nbd-uri.ts'
import type { ProviderChoice, ProviderName } from './provider-name.ts'

/** How a source will be frozen, and why so. */
export type ChosenProvider = {
  /** As the user wrote it. */
  readonly argument: string
  readonly provider: ProviderName
  /** What is frozen: the device under a mount point, else the argument. */
  readonly source: string
  readonly why: string
}

/** Looks at what lies below a source. Throws what is in the way, with what could freeze it. */
export async function chooseProvider(
  argument: string,
  options: { readonly provider: ProviderChoice; readonly allowMounted: boolean },
  signal: AbortSignal,
): Promise<ChosenProvider> {
  const { provider: wanted, allowMounted } = options
  if (isNbdUri(argument))
    return onlyIf(wanted, ['nbd'], { argument, source: argument, why: 'it is an export' })
  const source = await volumeUnder(argument)
  if (wanted !== 'auto') return onlyIf(wanted, FOR_PATHS, { argument, source, why: 'it was asked for' })
  const id = await volumeIdAt(source)
  if (id !== null) return { argument, source, ...(await forVolume(source, id, signal)) }
  if (await canCloneFile(source)) {
    return { argument, source, provider: 'reflink', why: 'it is a file that can be cloned' }
  }
  if (source !== argument && !allowMounted) throw unfreezable(argument, source)
  return { argument, source, provider: 'device', why: 'nothing below it can be frozen' }
}

/** Of the file systems that clone, XFS and Btrfs: statfs(2). What makes clones is loaded only there. */
const CLONING_MAGICS: readonly number[] = [0x5846_5342, 0x9123_683e]

async function canCloneFile(path: string): Promise<boolean> {
  try {
    if (!CLONING_MAGICS.includes((await statfs(path)).type)) return false
  } catch {
    return false // Whoever opens it says why.
  }
  const { canClone } = await import('../linux/reflink/can-clone.ts')
  return await canClone(path)
}

const FOR_PATHS: readonly ProviderName[] = ['device', 'lvm-thin', 'lvm', 'reflink']

function onlyIf(
  wanted: ProviderChoice,
  possible: readonly ProviderName[],
  choice: Omit<ChosenProvider, 'provider'>,
): ChosenProvider {
  const provider = wanted === 'auto' ? possible[0] : possible.find((name) => name === wanted)
  if (provider !== undefined) return { ...choice, provider }
  const message = `Cannot freeze "${choice.argument}" by ${wanted}: ${choice.why}, required is --provider ${possible.join(' or ')}`
  throw new BackupError(ErrorCode.UsageWrong, message)
}

async function forVolume(
  path: string,
  id: VolumeId,
  signal: AbortSignal,
): Promise<{ readonly provider: ProviderName; readonly why: string }> {
  const volume = await volumeOf(id, signal)
  if (volume === null) return { provider: 'device', why: 'LVM cannot be asked about it' }
  if (volume.isClassicSnapshot) return { provider: 'device', why: 'it is a snapshot' }
  const { mountedReadWrite } = await deviceUse(await realpath(path))
  if (volume.segmentType === 'thin') {
    const isSnapshot = volume.originUuid !== null && mountedReadWrite.length === 0
    return isSnapshot
      ? { provider: 'device', why: 'it is a thin snapshot that is not mounted' }
      : { provider: 'lvm-thin', why: 'it is a thin volume' }
  }
  if (volume.segmentType === 'linear' || volume.segmentType === 'striped') {
    return { provider: 'lvm', why: `it is a ${volume.segmentType} logical volume` }
  }
  return {
    provider: 'device',
    why: `it is a logical volume of type ${volume.segmentType}, which is not frozen`,
  }
}

/** Null where this user may not ask: then the device is read as it is. */
async function volumeOf({ groupUuid, uuid }: VolumeId, signal: AbortSignal): Promise<LvmVolume | null> {
  try {
    const { hostLvm } = await import('../linux/lvm/lvm-tools.ts')
    const { LiveGroups } = await import('../capture/lvm/live-groups.ts')
    await using groups = new LiveGroups(hostLvm)
    return (await groups.volumes([groupUuid], signal)).find((volume) => volume.uuid === uuid) ?? null
  } catch (error) {
    if (isBackupError(error, ErrorCode.ProgramMissing, ErrorCode.SourceUnreadable)) return null
    throw error
  }
}

/** The device that is mounted at a folder; any other path is itself. */
async function volumeUnder(argument: string): Promise<string> {
  const path = await realOrNull(argument)
  if (path === null || !(await stat(path)).isDirectory()) return argument
  const mounts = parseMountInfo(await readFile('/proc/self/mountinfo', 'utf8'))
  const mount = mounts.findLast(({ mountPoint }) => mountPoint === path)
  if (mount === undefined) {
    const message = `Cannot back up "${argument}": it is a directory and no mount point, required is a volume, the mount point of one, or an image file`
    throw new BackupError(ErrorCode.SourceUnsuitable, message, { data: { path: argument } })
  }
  if (mount.source.startsWith('/dev/') && (await realOrNull(mount.source)) !== null) return mount.source
  const message = `Cannot back up "${argument}": ${mount.fileSystem} is mounted there, which lies on no volume of this host`
  throw new BackupError(ErrorCode.SourceUnsuitable, message, { data: { path: argument } })
}

async function realOrNull(path: string): Promise<string | null> {
  try {
    return await realpath(path)
  } catch {
    return null // Whoever opens it says why.
  }
}

function unfreezable(argument: string, source: string): BackupError {
  const message = `Cannot freeze "${argument}": it is mounted from "${source}", of which nothing here can make a frozen image, required is a logical volume, or a snapshot of it that you made and name instead`
  return new BackupError(ErrorCode.SourceInUse, message, { data: { path: argument, device: source } })
}
