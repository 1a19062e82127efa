import type { ProgressListener } from '../../domain/progress.ts'
import type { Randomness } from '../../domain/randomness.ts'
import { readCondemnedLists } from '../condemned.ts'
import { packName } from '../object-names.ts'
import { listPoints, type Points } from '../points.ts'
import type { Repository } from '../repository.ts'
import type { PackState } from './check-index.ts'
import { checkPacks, type PackTotals } from './check-packs.ts'
import { TreeChecker } from './check-trees.ts'
import { Damages } from './damages.ts'
import { drawShare } from './draw-share.ts'
import { examinePacks } from './examine-packs.ts'
import { fencePacks, type Fence } from './fence-packs.ts'
import { findProblems } from './find-problems.ts'
import type { CheckLanes } from './pack-findings.ts'
import { CheckCode, type Problem } from './problem.ts'
import { readCheckIndex, type FoundIndex } from './read-check-index.ts'
import { impossibleSize } from './verify-pack.ts'

export type CheckParts = {
  readonly repository: Repository
  /** Made only when packs are to be read. */
  readonly openLanes: () => CheckLanes
  readonly randomness: Randomness
  readonly progress: ProgressListener
  readonly signal: AbortSignal
}

export type CheckResult = {
  readonly problems: readonly Problem[]
  /** What is worth knowing and no problem. */
  readonly notes: readonly string[]
  readonly pointCount: number
  readonly segmentCount: number
  /** Packs of the store. */
  readonly packCount: number
  readonly packBytes: number
  /** Nodes of trees and chunks of leaves that were looked up. */
  readonly nodeCount: number
  readonly chunkCount: number
  /** Null when no pack was read. */
  readonly read: PackTotals | null
  readonly fence: Fence
}

/**
 * Checks a repository. `share` of the packs, 0 to 1, is read and verified whole. The lists are taken once, points
 * first, then index, then packs: whatever a listed point refers to is in the lists after it, also while others
 * back up.
 */
export async function checkRepository(parts: CheckParts, share: number): Promise<CheckResult> {
  const { repository, progress, signal, randomness } = parts
  // Threads take a moment to begin: they do it while the index is read.
  await using lanes = share > 0 ? parts.openLanes() : null
  const { store, sealing, config } = repository
  progress({ event: 'phase', phase: 'reading the index', totalBytes: null })
  const points = await listPoints(repository)
  const condemned = await readCondemnedLists(store, sealing)
  const found = await readCheckIndex(repository, signal)
  const { index } = found
  const damages = new Damages()
  for (const pack of index.packs) notePresence(pack, damages)
  for (const { pack, reason } of found.unreadable) {
    pack.damage ??= damages.of(CheckCode.PackDamaged, { packId: pack.id, reason })
  }
  const present = index.packs.filter((pack) => pack.sizeBytes !== null)
  const drawn = drawShare(present, share, randomness)
  const read = lanes === null ? null : await checkPacks(drawn, { lanes, damages, progress, signal })
  await examinePacks(repository, found, signal)
  progress({ event: 'phase', phase: 'walking the trees', totalBytes: null })
  const { chunkSizeBytes } = config
  const trees = new TreeChecker({ index, packs: repository.packs, damages, chunkSizeBytes, signal })
  for (const point of points.points) await trees.checkPoint(point)
  const damaged = index.packs.filter((pack) => pack.damage !== null && !condemned.packIds.has(pack.id))
  const damagedIds = damaged.map((pack) => pack.id)
  const fence =
    present.length === 0
      ? {
          packIds: damagedIds,
          failure: 'no pack at all is there, see whether all of the repository is mounted',
        }
      : await fencePacks(repository, damagedIds, randomness)
  const { problems, notes } = findProblems({ damages, found, points, condemned })
  return {
    problems,
    notes: [...notes, ...notesOf(found)],
    ...countsOf(points, found),
    nodeCount: trees.nodeCount,
    chunkCount: trees.chunkCount,
    read,
    fence,
  }
}

function countsOf(
  points: Points,
  found: FoundIndex,
): Pick<CheckResult, 'pointCount' | 'segmentCount' | 'packCount' | 'packBytes'> {
  const present = found.index.packs.filter((pack) => pack.sizeBytes !== null)
  return {
    pointCount: points.points.length + points.damaged.length,
    segmentCount: found.segmentIds.length,
    packCount: present.length,
    packBytes: present.reduce((sum, pack) => sum + (pack.sizeBytes ?? 0), 0),
  }
}

/** What a look at names and sizes can tell. */
function notePresence(pack: PackState, damages: Damages): void {
  const { id: packId, sizeBytes } = pack
  if (sizeBytes === null) {
    const reason = `the index names it, there is no file "${packName(packId)}"`
    pack.damage = damages.of(CheckCode.PackMissing, { packId, reason })
    return
  }
  const cut = `it has ${sizeBytes} bytes, the index says that it has at least ${pack.entriesEnd}`
  const reason = impossibleSize(sizeBytes) ?? (pack.entriesEnd > sizeBytes ? cut : null)
  if (reason !== null) pack.damage = damages.of(CheckCode.PackDamaged, { packId, reason })
}

function notesOf(found: FoundIndex): string[] {
  const notes: string[] = []
  const { writerCount, unindexed, foreignNames } = found
  if (writerCount > 0) {
    notes.push(
      `${writerCount} backups are running or were killed; ${unindexed.packIds.length} packs wait for their index`,
    )
  }
  if (foreignNames.length > 0) {
    notes.push(`${foreignNames.length} files are not of the repository, the first: "${foreignNames[0]}"`)
  }
  return notes
}
