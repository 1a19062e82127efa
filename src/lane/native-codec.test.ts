import assert from 'node:assert/strict'
import { loadNative } from '../linux/native.ts'
import { codecConformance } from '../repository/codec-conformance.ts'
import { nativeCodec } from './native-codec.ts'

const library = loadNative()
assert(library !== null)
codecConformance('native codec', (options) => nativeCodec(library, options))
