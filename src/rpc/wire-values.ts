import { LIST_LENGTH_MAX, TEXT_LENGTH_MAX } from './wire-limits.ts'

// What comes from the other side becomes a value of the domain here, or a SyntaxError that names the field.

/** An unsigned number of the wire; from here on it is an ordinary one. */
export function numberFrom(value: bigint, field: string): number {
  if (value >= 0n && value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value)
  throw new SyntaxError(`${field} is ${value}, expected at most ${Number.MAX_SAFE_INTEGER}`)
}

export function optionalNumber(value: bigint | undefined, field: string): number | null {
  return value === undefined ? null : numberFrom(value, field)
}

/** Something that names something: not empty, not without end. */
export function textFrom(value: string, field: string): string {
  if (value.length >= 1 && value.length <= TEXT_LENGTH_MAX) return value
  throw new SyntaxError(
    `${field} has ${value.length} characters, expected at least 1 and at most ${TEXT_LENGTH_MAX}`,
  )
}

/** Empty on the wire means that there is none. */
export function optionalText(value: string, field: string): string | null {
  return value === '' ? null : textFrom(value, field)
}

/** The end of a text that people read, fit for a terminal. */
export function sentenceFrom(value: string, lengthMax: number): string {
  return value.slice(-lengthMax).replaceAll(/[^\P{Cc}\n\t]|[\p{Cf}\p{Zl}\p{Zp}]/gu, ' ')
}

export function listFrom<T>(value: readonly T[], field: string, lengthMax = LIST_LENGTH_MAX): readonly T[] {
  if (value.length <= lengthMax) return value
  throw new SyntaxError(`${field} has ${value.length} entries, expected at most ${lengthMax}`)
}

export function bytesFrom(value: Uint8Array, field: string, lengthMax: number): Uint8Array {
  if (value.byteLength <= lengthMax) return value
  throw new SyntaxError(`${field} has ${value.byteLength} bytes, expected at most ${lengthMax}`)
}

export function integerFrom(value: number, field: string, bounds: { min: number; max: number }): number {
  if (Number.isInteger(value) && value >= bounds.min && value <= bounds.max) return value
  throw new SyntaxError(`${field} is ${value}, expected at least ${bounds.min} and at most ${bounds.max}`)
}
