import * as v from 'valibot'
import type { HeldUse } from '../provider/held-image.ts'
import type { CloneState } from '../../domain/file-clone.ts'

/** What a clone says of itself: docs/formats/reflink.md. */
export type CloneFacts = {
  readonly id: string
  readonly lineageKey: string
  readonly source: string
  readonly createdAtMs: number
  readonly use: HeldUse
  readonly inode: string
  readonly generation: number
  readonly sizeBytes: number
  readonly modifiedNs: string
}

const VERSION = 1

const hex32 = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/))
const decimal = v.pipe(v.string(), v.regex(/^-?[0-9]{1,20}$/))
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const Schema = v.object({
  icecore: v.literal(VERSION),
  id: hex32,
  lineageKey: hex32,
  source: v.pipe(v.string(), v.minLength(1)),
  createdAtMs: count,
  use: v.variant('kind', [
    v.object({ kind: v.literal('run'), leaseEndsAtMs: count, owner: v.pipe(v.string(), v.maxLength(256)) }),
    v.object({ kind: v.literal('base'), pointId: v.pipe(v.string(), v.minLength(1), v.maxLength(128)) }),
  ]),
  inode: decimal,
  generation: count,
  sizeBytes: count,
  modifiedNs: decimal,
})

export function encodeFacts(facts: CloneFacts): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ icecore: VERSION, ...facts }))
}

/** Null for what are no facts of this version. */
export function parseFacts(bytes: Uint8Array): CloneFacts | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    const found = v.safeParse(Schema, JSON.parse(text))
    if (!found.success) return null
    const { icecore: _version, ...facts } = found.output
    return facts
  } catch {
    return null
  }
}

/** Whether the facts are of this very file: they are copied with a file, the number of its inode is not. */
export function isOwnFacts(facts: CloneFacts, name: string, state: CloneState): boolean {
  return facts.id === name && facts.inode === state.inode && facts.generation === state.generation
}

/** Whether the bytes of the clone are still those of its first moment, as far as the system knows. */
export function isUntouched(facts: CloneFacts, state: CloneState): boolean {
  return facts.sizeBytes === state.sizeBytes && facts.modifiedNs === state.modifiedNs
}
