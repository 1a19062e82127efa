import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { formatByteSize } from '../../domain/byte-size.ts'
import { formatDuration } from '../../domain/duration.ts'
import type { Randomness } from '../../domain/randomness.ts'
import type { Range } from '../../domain/range.ts'
import { missProbability } from '../../mover/witnesses.ts'
import { formatShare } from '../share.ts'
import { shortId } from '../short-id.ts'
import {
  type BackupReport,
  parseBackupReport,
  parseDiffReport,
  parseInitReport,
  type WitnessReport,
} from './command-reports.ts'
import type { Ran } from './command-runner.ts'
import type { BackedUp, ChangedVolume, DemoParts, MadeVolume, WrongListRun } from './demo-parts.ts'
import { bytesInUse } from './free-in-volume.ts'
import { formatOdds } from './format-odds.ts'
import { missedChunkCount } from './missed-chunks.ts'
import { withholdRanges } from './withhold-ranges.ts'

const LINEAGE = 'demo'
const PASSWORD_BYTES = 24
/** So much that no honest odds let it slip by. */
const WITHHELD_SHARE = 0.75

/** Makes the repository and gives the size of its chunks. */
export async function makeRepository(parts: DemoParts, randomness: Randomness): Promise<number> {
  const { story, folder } = parts
  await story.step('A repository')
  const password = Buffer.from(randomness.bytes(PASSWORD_BYTES)).toString('base64url')
  await writeFile(join(folder, 'password'), `${password}\n`, { mode: 0o600 })
  const words = ['init', join(folder, 'repository'), '--recovery-key-file', join(folder, 'recovery-key')]
  const { result, durationMs } = await runShown(parts, words, 'Making the repository')
  const { chunkSizeBytes } = parseInitReport(result.json)
  await story.outcome(
    'done',
    `Encrypted, chunks of ${formatByteSize(chunkSizeBytes)}, a password and a recovery key, in ${formatDuration(durationMs)}`,
  )
  return chunkSizeBytes
}

export async function backUpFirst(parts: DemoParts, volume: MadeVolume): Promise<BackedUp> {
  const { story } = parts
  await story.step('The first backup')
  const done = await backUp(parts, volume.path, [])
  await story.outcome('done', `${readAndStored(done)} Point ${shortId(done.report.pointId)}.`)
  await tellDegraded(parts, done.report)
  return done
}

export async function backUpChanges(parts: DemoParts, changed: ChangedVolume): Promise<BackedUp> {
  const { story, folder } = parts
  const list = join(folder, 'changes.json')
  await writeChangeList(list, changed.ranges)
  await story.step('The second backup: only what the list names is read')
  const done = await backUp(parts, changed.path, ['--changes', list])
  await story.outcome('done', `${readAndStored(done)} Point ${shortId(done.report.pointId)}.`)
  await tellDegraded(parts, done.report)
  const { witnesses } = done.report.object
  if (witnesses !== null) await story.remark(testedText(witnesses))
  return done
}

/** Leaves most of the changes out of the list, as a broken snapshot driver might, and looks what happens. */
export async function backUpWithWrongList(
  parts: DemoParts,
  changed: ChangedVolume,
  points: { readonly first: string; readonly second: string; readonly chunkSizeBytes: number },
): Promise<WrongListRun> {
  const { story, folder, signal } = parts
  const list = withholdRanges(changed.ranges, WITHHELD_SHARE)
  const path = join(folder, 'wrong.json')
  await writeChangeList(path, list.kept)
  const withheldBytes = sumOf(list.withheld)
  await story.step('The same again, with a list that is wrong')
  await story.remark(
    `It says nothing of ${formatByteSize(withheldBytes)} that changed: ${list.withheld.length} of the ${changed.ranges.length} ranges, the largest, are left out.`,
  )
  const done = await backUp(parts, changed.path, ['--changes', path, '--base', shortId(points.first)])
  signal.throwIfAborted()
  const { witnesses, sizeBytes } = done.report.object
  const missed = await missedChunkCount(list, { chunkSizeBytes: points.chunkSizeBytes, sizeBytes })
  const odds = oddsOf(witnesses, missed)
  const noticed = done.report.degraded.some(({ code }) => code === 'CHANGE_LIST_REFUTED')
  await story.outcome(
    noticed ? 'warn' : 'bad',
    noticed
      ? `Noticed: a chunk that the list calls unchanged had changed. The list was thrown away and everything compared, in ${formatDuration(done.durationMs)}; exit code ${done.exitCode}, because a degraded run is never green.`
      : `Not noticed this time: no witness met a chunk that the list had lost. This point is wrong, as the list was.`,
  )
  await story.remark(
    `The list had lost ${missed} chunks. All of ${witnesses?.count ?? 0} witnesses would have missed them ${formatOdds(odds)}.`,
  )
  const differingBytes = await compareWithSecond(parts, changed, { ...points, third: done.report.pointId })
  return {
    ...done,
    withheldRangeCount: list.withheld.length,
    withheldBytes,
    missedChunkCount: missed,
    missProbability: odds,
    noticed,
    differingBytes,
  }
}

async function compareWithSecond(
  parts: DemoParts,
  changed: ChangedVolume,
  points: { readonly second: string; readonly third: string; readonly chunkSizeBytes: number },
): Promise<number> {
  const words = ['diff', shortId(points.second), shortId(points.third)]
  const { result } = await runShown(parts, words, 'Comparing the points')
  const ranges = parseDiffReport(result.json)
  const differingBytes = await bytesInUse(changed.path, ranges, { ...points, signal: parts.signal })
  const isRight = differingBytes === 0
  const what = ranges.length === 0 ? 'not a byte differs' : 'nothing that is in use differs'
  const text = isRight
    ? `The point is right all the same: ${what} from the one before.`
    : `${formatByteSize(differingBytes)} differ from the point before.`
  await parts.story.outcome(isRight ? 'done' : 'bad', text)
  return differingBytes
}

async function backUp(parts: DemoParts, path: string, more: readonly string[]): Promise<BackedUp> {
  const words = ['backup', path, '--name', LINEAGE, ...more]
  const { result, durationMs } = await runShown(parts, words, 'Backing up')
  return { report: parseBackupReport(result.json), durationMs, exitCode: result.exitCode }
}

/** Shows the words and runs them. */
export async function runShown(parts: DemoParts, words: readonly string[], phase: string): Promise<Ran> {
  await parts.story.command(['icecore', ...words])
  return await parts.story.during(phase, (progress) => parts.run(words, progress))
}

async function tellDegraded(parts: DemoParts, report: BackupReport): Promise<void> {
  for (const { code, message } of report.degraded) {
    await parts.story.outcome('warn', `Degraded (${code}): ${message}`)
  }
}

function readAndStored({ report, durationMs }: BackedUp): string {
  return `Read ${formatByteSize(report.object.readBytes)}, stored ${formatByteSize(report.storedBytes)}, in ${formatDuration(durationMs)}.`
}

function testedText(witnesses: WitnessReport): string {
  const { count, rotatingCount, missProbability: stated } = witnesses
  const chance = formatShare(stated.probability)
  return `A list is a claim, so it was tested: ${count} chunks at random and a rotating ${rotatingCount} that it calls unchanged were read and compared; none differed. A list that had lost ${formatShare(stated.lostShare)} of them would have passed the random ones with a chance of ${chance}.`
}

/** Some of the lost chunks may be in the rotating share, which is read anyway: so many fewer are left to chance. */
function oddsOf(witnesses: WitnessReport | null, missed: number): number {
  if (witnesses === null) return 1
  const { candidateCount, rotatingCount, count } = witnesses
  const share = candidateCount / Math.max(1, candidateCount + rotatingCount)
  return missProbability({ candidateCount, witnessCount: count, lostCount: Math.floor(missed * share) })
}

async function writeChangeList(path: string, ranges: readonly Range[]): Promise<void> {
  const entries = ranges.map(({ offset, length }) => ({ offset, length, exists: true }))
  await writeFile(path, `${JSON.stringify(entries)}\n`)
}

function sumOf(ranges: readonly { readonly length: number }[]): number {
  return ranges.reduce((sum, range) => sum + range.length, 0)
}
