// A thread begins here, in plain JavaScript: see lane/worker.js.
import { keepCompiledCode } from '../../lane/compile-cache.js'

keepCompiledCode()
await import('./serve-hash.ts')
