import type { DataSet } from './data/data-set.ts'
import type { Measurement } from './measure.ts'
import type { States } from './states.ts'

/** One measured run of one program. */
export type RunRecord = Omit<Measurement, 'stdout'> & {
  readonly scenario: string
  readonly program: string
  /** All that the program keeps in its repository afterwards. */
  readonly storedBytes?: number
  /** What of it this run added. */
  readonly addedBytes?: number
  readonly indexBytes?: number
  readonly chunkCount?: number
  readonly note?: string
}

/** One line of the table of goals: what was measured beside what is asked. It does not say whether that is good. */
export type Row = {
  readonly work: string
  readonly against: string
  readonly quantity: string
  readonly asked: string
  /** Absent when it could not be measured. */
  readonly measured?: number
  readonly unit: 'x' | 'share' | 's' | 'bytes' | 'bytes each'
  /** A point of a curve: shown in a table of its own, a line for each `work`, a column for each `quantity`. */
  readonly isCurve?: boolean
}

/** What a scenario works with. */
export type Bench = {
  readonly data: DataSet
  readonly states: States
  readonly restoreFolder: string
  readonly scratchFolder: string
  readonly repeatCount: number
  /** The main file of icecore's command line. */
  readonly cli: string
  readonly resticRestoresSparsely: boolean
  say(line: string): void
  record(run: RunRecord): void
}

export type Scenario = {
  readonly name: string
  readonly summary: string
  run(bench: Bench): Promise<Row[]>
}
