import type { ProgressListener } from '../../domain/progress.ts'
import { packName } from '../object-names.ts'
import type { PackState } from './check-index.ts'
import type { Damages } from './damages.ts'
import type { CheckLanes, PackFindings } from './pack-findings.ts'
import { CheckCode } from './problem.ts'

/** While a lane verifies one pack it reads the next. */
const PACKS_PER_LANE = 2

export type CheckPacksParts = {
  readonly lanes: CheckLanes
  readonly damages: Damages
  readonly progress: ProgressListener
  readonly signal: AbortSignal
}

export type PackTotals = {
  readonly packCount: number
  readonly chunkCount: number
  readonly nodeCount: number
  readonly bytes: number
}

/** Reads and verifies whole packs; what is wrong is noted in their states. */
export async function checkPacks(packs: readonly PackState[], parts: CheckPacksParts): Promise<PackTotals> {
  const { lanes, progress, signal } = parts
  const totalBytes = packs.reduce((sum, pack) => sum + (pack.sizeBytes ?? 0), 0)
  const totals = { packCount: 0, chunkCount: 0, nodeCount: 0, bytes: 0 }
  progress({ event: 'phase', phase: 'reading packs', totalBytes })
  const queue = packs[Symbol.iterator]()
  const work = async (): Promise<void> => {
    for (const pack of queue) {
      signal.throwIfAborted()
      const findings = await lanes.check(pack.id)
      takeFindings(pack, findings, parts.damages)
      totals.packCount += 1
      totals.chunkCount += findings.chunkCount
      totals.nodeCount += findings.nodeCount
      totals.bytes += findings.sizeBytes
      progress({ event: 'bytes', doneBytes: totals.bytes, totalBytes })
    }
  }
  await Promise.all(Array.from({ length: lanes.count * PACKS_PER_LANE }, work))
  return totals
}

function takeFindings(pack: PackState, findings: PackFindings, damages: Damages): void {
  const { damage } = findings
  const packId = pack.id
  if (damage !== null) {
    if (damage.code === CheckCode.PackMissing) pack.sizeBytes = null
    pack.damage = damages.of(damage.code, { packId, reason: damage.reason })
    return
  }
  const entryCount = findings.chunkCount + findings.nodeCount
  if (!pack.isNamed || entryCount === 0) return
  if (entryCount === pack.entryCount && findings.entrySum === pack.entrySum && !pack.isDisputed) return
  const reason = `the index says of ${packName(packId)} what its own directory does not say (${pack.entryCount} entries, the directory has ${entryCount})`
  pack.damage ??= damages.of(CheckCode.IndexWrong, { packId, reason })
}
