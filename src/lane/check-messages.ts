import type { PackFindings } from '../repository/check/pack-findings.ts'
import type { LaneSetUp } from './lane-messages.ts'

/** What a lane that checks begins with: packs are named to it, it looks nothing up. */
export type CheckSetUp = Omit<LaneSetUp, 'index'> & {
  readonly work: 'check'
  /** There is no key: compare names with bytes and open nothing. */
  readonly namesOnly: boolean
}

export type CheckRequest = { readonly type: 'check'; readonly packId: string }
export type CheckResult = PackFindings
