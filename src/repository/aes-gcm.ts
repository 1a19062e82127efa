import { createCipheriv, createDecipheriv } from 'node:crypto'
import { releaseMemory } from './release-memory.ts'

export const TAG_SIZE = 16
const NONCE_SIZE = 12

/** What is authenticated beside the bytes, and where in the file they begin: the nonce. */
export type SealContext = {
  readonly key: Uint8Array
  readonly position: number
  readonly associated: Uint8Array
}

/**
 * The nonce of a sealed run of bytes is its offset in its file, u64le, then four zero bytes. The key belongs to
 * this one file and no two runs begin at one offset, so no nonce is used twice.
 */
function nonceAt(position: number): Uint8Array {
  const nonce = new Uint8Array(NONCE_SIZE)
  new DataView(nonce.buffer).setBigUint64(0, BigInt(position), true)
  return nonce
}

/** AES-256-GCM: ciphertext, then the tag of 16 bytes. */
export function sealBytes(plaintext: Uint8Array, context: SealContext): Uint8Array {
  const sealed = new Uint8Array(plaintext.byteLength + TAG_SIZE)
  sealInto(sealed, plaintext, context)
  return sealed
}

/** As `sealBytes`; `target` may begin where `plaintext` lies. */
export function sealInto(target: Uint8Array, plaintext: Uint8Array, context: SealContext): void {
  const cipher = createCipheriv('aes-256-gcm', context.key, nonceAt(context.position))
  cipher.setAAD(context.associated)
  const body = cipher.update(plaintext)
  cipher.final()
  target.set(body)
  target.set(cipher.getAuthTag(), body.byteLength)
  releaseMemory(body)
}

/** Throws SyntaxError when the tag does not prove the bytes. */
export function openBytes(sealed: Uint8Array, context: SealContext): Uint8Array {
  if (sealed.byteLength < TAG_SIZE) {
    throw new SyntaxError(`sealed bytes are ${sealed.byteLength} long, a tag alone has ${TAG_SIZE}`)
  }
  const end = sealed.byteLength - TAG_SIZE
  const decipher = createDecipheriv('aes-256-gcm', context.key, nonceAt(context.position))
  decipher.setAAD(context.associated)
  decipher.setAuthTag(sealed.subarray(end))
  const plaintext = decipher.update(sealed.subarray(0, end))
  try {
    decipher.final()
  } catch (cause) {
    throw new SyntaxError('authentication failed: the bytes are damaged, or sealed with another key', {
      cause,
    })
  }
  return new Uint8Array(plaintext.buffer, plaintext.byteOffset, plaintext.byteLength)
}
