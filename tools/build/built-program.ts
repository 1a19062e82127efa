import { join } from 'node:path'

/** Where `npm run build` puts the program. */
export const BUILT_FOLDER = join(import.meta.dirname, '..', '..', 'dist')
export const BUILT_PROGRAM = join(BUILT_FOLDER, 'icecore.js')
