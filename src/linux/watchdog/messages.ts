import type { ProgramEnd, ProgramToRun } from '../run-program.ts'

/**
 * What icecore and its watchdog say to each other, as JSON over a socket pair that only they hold. When it closes and
 * the watchdog was not told that all is done, icecore has died:
 *
 *     icecore                         watchdog
 *        │ ◀───────────────── ready ── │  everything is loaded
 *        │ ── begin ─────────────────▶ │  what must run in the end; opens and syncs what will be frozen
 *        │ ── run ───────────────────▶ │  a program before the freeze; its end is the answer
 *        │ ── freeze ────────────────▶ │  the deadline begins; freezes
 *        │            …                │  expired: thawed, because the deadline has passed
 *        │ ── thaw ──────────────────▶ │
 *        │ ── finish ────────────────▶ │  runs the programs that were named at the beginning
 *        │ ── suspend ───────────────▶ │  what icecore is about to suspend; the watchdog resumes it after the deadline
 *        │ ── resumed ───────────────▶ │
 *        │ ── guard, release ────────▶ │  what to run if icecore dies later
 *        │ ── done ──────────────────▶ │  ends
 *
 * Every request has a number, and one answer with the same number.
 */
export type Request =
  | {
      readonly kind: 'begin'
      readonly programs: readonly ProgramToRun[]
      readonly resultVariable: string
      readonly mountPoints: readonly string[]
    }
  | { readonly kind: 'run'; readonly program: ProgramToRun }
  | { readonly kind: 'stop'; readonly reason: string }
  | { readonly kind: 'freeze'; readonly deadlineMs: number }
  | { readonly kind: 'thaw' }
  | { readonly kind: 'finish'; readonly result: string }
  | {
      readonly kind: 'guard'
      readonly guardId: number
      readonly program: ProgramToRun
      readonly isUrgent: boolean
    }
  | { readonly kind: 'release'; readonly guardId: number }
  | { readonly kind: 'suspend'; readonly devices: readonly string[]; readonly deadlineMs: number }
  | { readonly kind: 'resumed' }

export type Numbered = { readonly number: number; readonly request: Request }

/** What the window was, in milliseconds from the first freeze on. */
export type ThawEnd = {
  /** From before the first file system was frozen until the last one was thawed. */
  readonly windowMs: number
  /** What went wrong, each half a sentence: thawed by the deadline, by somebody else, not at all. */
  readonly problems: readonly string[]
}

export type Answer =
  | { readonly kind: 'ok' }
  | { readonly kind: 'ran'; readonly end: ProgramEnd }
  | { readonly kind: 'frozen' }
  | { readonly kind: 'not-frozen'; readonly mountPoint: string; readonly reason: string }
  | { readonly kind: 'thawed'; readonly end: ThawEnd }
  | { readonly kind: 'finished'; readonly ends: readonly ProgramEnd[] }
  /** False when the deadline had passed, and the watchdog resumed them. */
  | { readonly kind: 'resumed'; readonly inTime: boolean }
  | { readonly kind: 'failed'; readonly message: string }

export type FromWatchdog =
  | { readonly event: 'ready'; readonly canFreeze: boolean }
  | { readonly event: 'expired' }
  | { readonly event: 'answer'; readonly number: number; readonly answer: Answer }

/** `done` has no answer but the end of the process. */
export type ToWatchdog = Numbered | { readonly done: true }
