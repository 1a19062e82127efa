import { join } from 'node:path'
import { buildProgram } from './build-program.ts'

// `npm run build`: the program as it is installed, in dist/.
await buildProgram(join(import.meta.dirname, '..', '..', 'dist'))
