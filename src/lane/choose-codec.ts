import { loadNative, nativeAbsence } from '../linux/native.ts'
import type { ChunkCodec, CodecOptions } from '../repository/chunk-codec.ts'
import { portableCodec } from '../repository/portable-codec.ts'
import { nativeCodec } from './native-codec.ts'

/** The fastest codec that works here. */
export function chooseCodec(options: CodecOptions): ChunkCodec {
  const library = loadNative()
  if (library === null) return portableCodec(options)
  try {
    return nativeCodec(library, options)
  } catch {
    return portableCodec(options)
  }
}

/** Why the portable codec would be chosen, as half a sentence; null when the native one works. */
export function portableReason(): string | null {
  const absence = nativeAbsence()
  if (absence !== null) return absence
  const codec = chooseCodec({ idKey: null, level: 1 })
  return codec.name === 'native' ? null : 'this Node.js binary does not export zstd and OpenSSL'
}
