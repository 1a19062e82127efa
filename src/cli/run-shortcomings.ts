import { DegradedCode, type Degraded } from '../domain/ledger.ts'
import type { RunMode } from '../domain/run-mode.ts'
import { portableReason } from '../lane/choose-codec.ts'

/** What a run has to go by. */
export type RunBasis = {
  readonly hasBase: boolean
  readonly hasList: boolean
  /** The user asked for what a list or a bitmap says. */
  readonly isListAwaited: boolean
  /** Points that cannot be read: one of them may be the base that was meant. */
  readonly damagedCount: number
}

/** A list says what changed since the latest point; when that may be one that cannot be read, it proves nothing. */
export function modeOf(basis: RunBasis & { readonly fullRead: boolean }): RunMode {
  if (basis.hasList && !basis.fullRead && basis.damagedCount === 0) return 'incremental'
  return basis.hasBase ? 'compared' : 'full'
}

/** What is known before the run to be less than was asked for. */
export function knownShortcomings(basis: RunBasis & { readonly lineage: string }): Degraded[] {
  const degraded: Degraded[] = []
  const reason = portableReason()
  if (reason !== null) {
    const message = `The fast codec was not used, because ${reason}; everything is the same but slower`
    degraded.push({ code: DegradedCode.PortableCodec, message })
  }
  if (basis.damagedCount > 0) {
    const instead = basis.isListAwaited ? '; everything was read, whatever the change list says' : ''
    const message = `The base was chosen without ${basis.damagedCount} points that are damaged${instead}`
    degraded.push({ code: DegradedCode.BaseUnusable, message })
  }
  if (basis.isListAwaited && !basis.hasBase) {
    const message = `Lineage "${basis.lineage}" has no point that the change list could refer to; everything was read`
    degraded.push({ code: DegradedCode.BaseMissing, message })
  }
  return degraded
}
