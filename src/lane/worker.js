// A thread begins here, in plain JavaScript: without the compile cache it would strip the types of every file again.
import { keepCompiledCode } from './compile-cache.js'

keepCompiledCode()
await import('./worker.ts')
