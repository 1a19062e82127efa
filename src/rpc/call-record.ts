import { createContextKey, type ContextKey } from '@connectrpc/connect'
import type { Peer } from './peer.ts'

/** A call that ended, for the audit log. */
export type FinishedCall = {
  readonly method: string
  readonly peer: Peer
  readonly startedAtMs: number
  readonly durationMs: number
  /** Why it was refused or failed, as a sentence; null when it was answered. */
  readonly failure: string | null
  /** What was asked, in short: the sources, the image. */
  readonly about: string
}

/** What becomes known of a call while it is answered. */
export type CallRecord = {
  readonly method: string
  readonly peer: Peer
  failure: string | null
  about: string
  /** The method was reached, and ended by itself. */
  isAnswered: boolean
}

export const CALL: ContextKey<CallRecord | null> = createContextKey<CallRecord | null>(null)

const ABOUT_LENGTH_MAX = 500

/** Sets what was asked, fit for one line of a log. */
export function describeCall(call: CallRecord | null, about: string): void {
  if (call === null) return
  call.about = about.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').slice(0, ABOUT_LENGTH_MAX)
}
