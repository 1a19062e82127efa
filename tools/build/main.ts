import { buildProgram } from './build-program.ts'
import { BUILT_FOLDER } from './built-program.ts'

// `npm run build`: the program as it is installed.
await buildProgram(BUILT_FOLDER)
