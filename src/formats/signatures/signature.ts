/** Where a structure may begin: bytes from the start of the volume, or back from its end. */
export type SignaturePlace =
  | number
  /** `back` bytes before the end, rounded down to a multiple of `align`, and then `plus` bytes on. */
  | { readonly back: number; readonly align: number; readonly plus: number }

/** What recognises one kind of content: all `magic` has to be found, counted from one of the places. */
export type Signature = {
  readonly name: string
  readonly kind: 'lvm2' | 'ext' | 'xfs' | 'foreign'
  readonly places: readonly SignaturePlace[]
  readonly magic: readonly (readonly [offset: number, bytes: Uint8Array])[]
  /** Bytes so few, or so far from the main structure, that they count only where nothing else claims the volume. */
  readonly isWeak: boolean
  /** A name that the same magic would say too, and which this one is more precise than. */
  readonly insteadOf: string | null
}

/** The place as bytes from the start of a volume of `sizeBytes`; null where there is no such place. */
export function offsetOfPlace(place: SignaturePlace, sizeBytes: number): number | null {
  if (typeof place === 'number') return place
  const offset = sizeBytes - place.back
  return offset < 0 ? null : offset - (offset % place.align) + place.plus
}

/** The bytes from the start of the structure to the end of its last magic. */
export function signatureLength({ magic }: Signature): number {
  return Math.max(...magic.map(([offset, bytes]) => offset + bytes.byteLength))
}

/** Whether `bytes`, from the place on, have all of its magic. */
export function matchesSignature({ magic }: Signature, bytes: Uint8Array): boolean {
  return magic.every(([offset, expected]) => expected.every((byte, index) => bytes[offset + index] === byte))
}
