import type { Range } from '../../domain/range.ts'
import type { BackupReport, CheckReport } from './command-reports.ts'
import type { RunCommand } from './command-runner.ts'
import type { FileSystemTools } from './file-system-tools.ts'
import type { Story } from './story.ts'

/** What every step of the demo works with. */
export type DemoParts = {
  /** Everything is in here. */
  readonly folder: string
  readonly story: Story
  readonly run: RunCommand
  readonly tools: FileSystemTools
  /** Restored volumes and the files of the volume stay. */
  readonly keep: boolean
  readonly signal: AbortSignal
}

export type MadeVolume = {
  readonly path: string
  readonly sizeBytes: number
  readonly fileCount: number
  readonly fileBytes: number
}

export type ChangedVolume = {
  readonly path: string
  readonly addedCount: number
  readonly rewrittenCount: number
  readonly removedCount: number
  /** Where the two states differ, in whole blocks. */
  readonly ranges: readonly Range[]
  readonly rangeBytes: number
}

export type BackedUp = {
  readonly report: BackupReport
  readonly durationMs: number
  readonly exitCode: number
}

export type WrongListRun = BackedUp & {
  readonly withheldRangeCount: number
  readonly withheldBytes: number
  readonly missedChunkCount: number
  /** That no witness would meet one of those chunks. */
  readonly missProbability: number
  readonly noticed: boolean
  /** Between its point and that of the right list, where the file system has something. */
  readonly differingBytes: number
}

export type Mapped = { readonly usedBytes: number; readonly freeBytes: number; readonly durationMs: number }

/** What `diff --files` found. */
export type ChangedFiles = {
  readonly changeCount: number
  /** Files that changed and that it does not name. */
  readonly missingCount: number
  readonly durationMs: number
}

/** A file that came out of a point. */
export type TakenOut = {
  readonly path: string
  readonly sizeBytes: number
  readonly equal: boolean
  readonly durationMs: number
}

export type Restored = {
  readonly pointId: string
  readonly durationMs: number
  readonly writtenBytes: number
  readonly originalSha256: string
  readonly restoredSha256: string
  /** Every byte that the file system has in use is as in the original. */
  readonly equal: boolean
  /** What differs all the same: the file system calls it free, and it came back as zeros. */
  readonly zeroedFreeBytes: number
  /** Null where there is no e2fsck. */
  readonly fileSystemClean: boolean | null
}

export type Checked = { readonly report: CheckReport; readonly durationMs: number }

/** All that was measured. */
export type DemoFigures = {
  readonly volume: MadeVolume
  readonly changed: ChangedVolume
  readonly mapped: Mapped
  readonly first: BackedUp
  readonly second: BackedUp
  readonly changedFiles: ChangedFiles
  readonly takenOut: TakenOut
  readonly wrongList: WrongListRun
  readonly firstRestore: Restored
  readonly secondRestore: Restored
  readonly check: Checked
  readonly repositoryBytes: number
  readonly durationMs: number
}
