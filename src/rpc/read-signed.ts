import { DerError, DerReader, wholeBits } from './der-reader.ts'
import { DerTag } from './der-writer.ts'
import { SIGNATURE_ALGORITHM } from './x509-parts.ts'

export type SignedContent = {
  /** What is signed. */
  readonly whole: Uint8Array
  /** What is in it; not to be believed before the signature was verified over `whole`. */
  readonly content: Uint8Array
  readonly signature: Uint8Array
}

/** The parts of what `signed()` writes, as RFC 5280 and RFC 2986 have it in common. Throws DerError. */
export function readSigned(bytes: Uint8Array, what: string): SignedContent {
  const reader = new DerReader(bytes)
  const outer = reader.enter(DerTag.Sequence, what)
  reader.end(what)
  const { whole, content } = outer.take(DerTag.Sequence, 'its content')
  const algorithm = outer.take(DerTag.Sequence, 'the algorithm')
  const signature = wholeBits(outer.take(DerTag.BitString, 'the signature'), 'the signature')
  outer.end('the signature')
  if (!Buffer.from(algorithm.whole).equals(SIGNATURE_ALGORITHM)) {
    throw new DerError('it is signed with another algorithm')
  }
  return { whole, content, signature }
}
