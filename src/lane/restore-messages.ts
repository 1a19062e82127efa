import type { RestoreJob, RestoreOutcome } from '../restore/restore-lanes.ts'
import type { LaneSetUp } from './lane-messages.ts'
import type { MappedTargetAddress } from './mapped-target.ts'
import type { TargetAddress } from './target-writer.ts'

export type RestoreSetUp = RestoreWork & {
  readonly work: 'restore'
  readonly target: TargetAddress | MappedTargetAddress
}

/** What a lane restores, wherever it writes. */
export type RestoreWork = LaneSetUp & {
  readonly sizeBytes: number
  readonly isBlank: boolean
  readonly differing: boolean
}

export type RestoreRequest =
  | { readonly type: 'restore'; readonly job: RestoreJob }
  | { readonly type: 'drain' }
export type RestoreResult = RestoreOutcome | null
