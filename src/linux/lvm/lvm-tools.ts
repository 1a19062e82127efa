import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import type { FrozenImage } from '../../domain/frozen-image.ts'
import type { LvmGroup, LvmVolume, PoolStatus, SnapshotStatus } from '../../domain/logical-volume.ts'
import { errnoMeaning } from '../../domain/errno.ts'
import { lockHost } from '../host-lock.ts'
import { openLocalSource, type LocalSource } from '../local-source.ts'
import { activeGroup, activeGroupUuids } from './active-group.ts'
import { askMapper } from './ask-mapper.ts'
import { mapperName, parsePoolStatus, parseSnapshotStatus } from './device-mapper-status.ts'
import { readReport } from './lvm-report.ts'
import { openMapperCalls } from './mapper-calls.ts'
import { parseVolume, VOLUME_FIELDS } from './parse-volume.ts'
import { runDmsetup, runLvm } from './run-lvm.ts'
import { emptySnapshot, takeHeldTable } from './renew-snapshot.ts'
import { shareAnswer } from './share-answer.ts'
import { suspendVolumes } from './suspend-volumes.ts'
import { volumeIdAt } from './volume-uuid.ts'

type Pool = { readonly groupName: string; readonly poolName: string }
type NewSnapshot = { readonly origin: LvmVolume; readonly name: string; readonly tags: readonly string[] }

/** A disk or a volume, open for direct reading, and as an image. */
export type OpenDisk = AsyncDisposable & {
  readonly device: Pick<LocalSource, 'path' | 'fd' | 'sizeBytes' | 'direct' | 'identity'>
  readonly image: FrozenImage
}

/** LVM and device-mapper of this host, by their tools. */
export const hostLvm = {
  listVolumes,
  readGroup,
  activeGroup,
  activeGroupUuids,
  volumeIdAt,
  createThinSnapshot,
  createClassicSnapshot,
  changeTags,
  removeVolumes,
  poolStatus,
  poolMessage,
  snapshotStatus,
  emptySnapshot,
  suspend: suspendVolumes,
  lock: lockHost,
  openDisk,
  openVolume: (volume: LvmVolume): Promise<OpenDisk> => openDisk(`/dev/${volume.groupName}/${volume.name}`),
}

/** Who asks in the same moment shares one answer: of what is done later it knows nothing. */
const listTogether = shareAnswer(async (): Promise<readonly LvmVolume[]> => {
  const { signal } = new AbortController()
  const rows = await readReport({ command: 'lvs', fields: VOLUME_FIELDS }, signal)
  return rows.flatMap((row) => parseVolume(row) ?? [])
})

async function listVolumes(signal: AbortSignal): Promise<readonly LvmVolume[]> {
  signal.throwIfAborted()
  const volumes = await listTogether()
  signal.throwIfAborted()
  return volumes
}

async function readGroup(uuid: string, signal: AbortSignal): Promise<LvmGroup> {
  const fields = ['vg_name', 'vg_uuid', 'vg_free', 'vg_extent_size', 'pv_name', 'pv_uuid']
  const rows = await readReport({ command: 'pvs', fields }, signal)
  const own = rows.filter((row) => row['vg_uuid'] === uuid)
  const [first] = own
  const paths = own.map((row) => row['pv_name'] ?? '').filter((path) => path.startsWith('/dev/'))
  return {
    name: first?.['vg_name'] ?? '',
    uuid,
    freeBytes: Number(first?.['vg_free'] ?? 0),
    extentSizeBytes: Number(first?.['vg_extent_size'] ?? 0),
    diskPaths: [...new Set(paths)],
  }
}

async function createThinSnapshot({ origin, name, tags }: NewSnapshot, signal: AbortSignal): Promise<void> {
  const path = `${origin.groupName}/${origin.name}`
  await runLvm(
    ['lvcreate', '--snapshot', '--yes', '--permission', 'r', '--name', name, ...tagWords(tags), path],
    {
      action: `freeze "${path}"`,
      code: ErrorCode.FreezeFailed,
      signal,
    },
  )
}

async function createClassicSnapshot(
  snapshot: NewSnapshot & { readonly storeSizeBytes: number },
  signal: AbortSignal,
): Promise<void> {
  const { origin, name, tags, storeSizeBytes } = snapshot
  const path = `${origin.groupName}/${origin.name}`
  const size = ['--size', `${storeSizeBytes}b`]
  const words = ['lvcreate', '--snapshot', '--yes', '--permission', 'r', ...size]
  await runLvm([...words, '--name', name, ...tagWords(tags), path], {
    action: `freeze "${path}"`,
    code: ErrorCode.FreezeFailed,
    signal,
  })
}

function tagWords(tags: readonly string[]): readonly string[] {
  return tags.flatMap((tag) => ['--addtag', tag])
}

async function changeTags(
  { groupName, name }: LvmVolume,
  { add, remove }: { readonly add: readonly string[]; readonly remove: readonly string[] },
  signal: AbortSignal,
): Promise<void> {
  const path = `${groupName}/${name}`
  const words = [...tagWords(add), ...remove.flatMap((tag) => ['--deltag', tag])]
  await runLvm(['lvchange', ...words, path], {
    action: `keep snapshot "${path}"`,
    code: ErrorCode.FreezeFailed,
    signal,
  })
}

/** By one command: LVM goes on to the next when it cannot remove one. */
async function removeVolumes(volumes: readonly LvmVolume[], signal: AbortSignal): Promise<void> {
  if (volumes.length === 0) return
  const paths = volumes.map(({ groupName, name }) => `${groupName}/${name}`)
  for (const volume of volumes) if (volume.isClassicSnapshot) await takeHeldTable(volume)
  try {
    await runLvm(['lvremove', '--yes', '--force', ...paths], {
      action: `release snapshot "${paths.join('", "')}"`,
      code: ErrorCode.FreezeFailed,
      signal,
    })
  } catch (error) {
    const left = new Set((await listVolumes(signal)).map(({ uuid }) => uuid))
    if (volumes.some(({ uuid }) => left.has(uuid))) throw error
  }
}

async function poolStatus(pool: Pool, signal: AbortSignal): Promise<PoolStatus> {
  const how = {
    action: `ask for the state of thin pool "${pool.groupName}/${pool.poolName}"`,
    code: ErrorCode.SourceUnreadable,
    signal,
  }
  return parsePoolStatus(await askMapper({ what: 'status', device: poolDevice(pool) }, how))
}

/** A pool with active volumes lies on a device of its own, which takes the messages. */
function poolDevice({ groupName, poolName }: Pool): string {
  return `${mapperName(groupName, poolName)}-tpool`
}

/** Volumes may stand still meanwhile: no program is started for it where that can be. */
async function poolMessage(pool: Pool, message: string, signal: AbortSignal): Promise<void> {
  const action = `tell "${message}" to thin pool "${pool.groupName}/${pool.poolName}"`
  using calls = openMapperCalls()
  if (calls === null) {
    const words = ['message', poolDevice(pool), '0', message]
    await runDmsetup(words, { action, code: ErrorCode.SourceUnreadable, signal })
    return
  }
  signal.throwIfAborted()
  try {
    await calls.message(poolDevice(pool), message)
  } catch (cause) {
    const reason = errnoMeaning(cause) ?? String(cause)
    throw new BackupError(ErrorCode.SourceUnreadable, `Cannot ${action}: ${reason}`, { cause })
  }
}

async function snapshotStatus({ groupName, name }: LvmVolume, signal: AbortSignal): Promise<SnapshotStatus> {
  const device = mapperName(groupName, name)
  const text = await askMapper(
    { what: 'status', device },
    {
      action: `ask for the state of snapshot "${groupName}/${name}"`,
      code: ErrorCode.ImageLost,
      signal,
    },
  )
  return parseSnapshotStatus(text)
}

async function openDisk(path: string): Promise<OpenDisk> {
  const source = await openLocalSource(path)
  const { fd, sizeBytes, direct, identity } = source
  return {
    device: { path, fd, sizeBytes, direct, identity },
    image: source.image(),
    [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
  }
}
