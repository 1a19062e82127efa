import type { ProgressListener } from '../../domain/progress.ts'
import type { Randomness } from '../../domain/randomness.ts'
import {
  CONDEMNED_PREFIX,
  INDEX_PREFIX,
  objectIdOf,
  packName,
  PACKS_PREFIX,
  POINTS_PREFIX,
} from '../object-names.ts'
import { fileIdOf } from '../sealed-file.ts'
import { SEGMENT_SIZE_MAX } from '../index-segment.ts'
import { listAll, type Store } from '../store.ts'
import { CheckIndex, type PackState } from './check-index.ts'
import { checkPacks, type PackTotals } from './check-packs.ts'
import { Damages } from './damages.ts'
import { drawShare } from './draw-share.ts'
import { plain, problemOfPoint, problemWithoutKey } from './find-problems.ts'
import type { CheckLanes } from './pack-findings.ts'
import { CheckCode, type Problem } from './problem.ts'
import { damageOf } from './unreadable.ts'

export type CheckNamesParts = {
  readonly store: Store
  readonly openLanes: () => CheckLanes
  readonly randomness: Randomness
  readonly progress: ProgressListener
  readonly signal: AbortSignal
}

export type CheckNamesResult = {
  readonly problems: readonly Problem[]
  readonly pointCount: number
  readonly segmentCount: number
  readonly packCount: number
  readonly packBytes: number
  readonly read: PackTotals | null
}

/**
 * What can be checked without a key: that the bytes of every file have the SHA-256 that is its name. Which points
 * a damaged pack hurts, and whether a pack is missing, only the key can tell.
 */
export async function checkNames(parts: CheckNamesParts, share: number): Promise<CheckNamesResult> {
  const { store, progress, signal } = parts
  progress({ event: 'phase', phase: 'comparing names', totalBytes: null })
  const points = await compareNames(store, POINTS_PREFIX, signal)
  const segments = await compareNames(store, INDEX_PREFIX, signal)
  const condemned = await compareNames(store, CONDEMNED_PREFIX, signal)
  const packs = await listPacks(store)
  const damages = new Damages()
  const read = share > 0 ? await readPacks({ ...parts, damages }, packs, share) : null
  const problems = [
    ...points.wrong.map(({ id, reason }) => problemOfPoint({ id, reason })),
    ...damages.all.map(problemWithoutKey),
    ...segments.wrong.map(({ id, reason }) =>
      plain(CheckCode.SegmentDamaged, `Index segment "${INDEX_PREFIX}${id}" is damaged: ${reason}`),
    ),
    ...condemned.wrong.map(({ id, reason }) =>
      plain(
        CheckCode.CondemnedDamaged,
        `List of condemned packs "${CONDEMNED_PREFIX}${id}" is damaged: ${reason}`,
      ),
    ),
  ]
  return {
    problems,
    pointCount: points.count,
    segmentCount: segments.count,
    packCount: packs.length,
    packBytes: packs.reduce((sum, pack) => sum + (pack.sizeBytes ?? 0), 0),
    read,
  }
}

type Compared = { readonly count: number; readonly wrong: readonly { id: string; reason: string }[] }

async function compareNames(store: Store, prefix: string, signal: AbortSignal): Promise<Compared> {
  const ids = (await listAll(store, prefix)).map(objectIdOf).filter((id) => id !== null)
  const wrong: { id: string; reason: string }[] = []
  for (const id of ids) {
    signal.throwIfAborted()
    try {
      const found = fileIdOf(await store.get(`${prefix}${id}`, SEGMENT_SIZE_MAX))
      if (found !== id) wrong.push({ id, reason: `its SHA-256 is ${found}` })
    } catch (error) {
      wrong.push({ id, reason: damageOf(error) })
    }
  }
  return { count: ids.length, wrong }
}

async function listPacks(store: Store): Promise<readonly PackState[]> {
  const index = new CheckIndex(0)
  for (const name of await listAll(store, PACKS_PREFIX)) {
    const id = objectIdOf(name)
    if (id !== null && packName(id) === name) index.addPack(id).sizeBytes = await store.sizeOf(name)
  }
  return index.packs
}

async function readPacks(
  parts: CheckNamesParts & { readonly damages: Damages },
  packs: readonly PackState[],
  share: number,
): Promise<PackTotals> {
  await using lanes = parts.openLanes()
  return await checkPacks(drawShare(packs, share, parts.randomness), { ...parts, lanes })
}
