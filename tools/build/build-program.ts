import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { lazyBuiltins } from './lazy-builtins.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** The program, and what it starts: each finds the others beside it, here as in the sources. */
const ENTRIES = [
  'src/cli/icecore.js',
  'src/lane/worker.js',
  'src/linux/watchdog/serve.js',
  'src/cli/demo/hash-thread.js',
]
/** Also for Node.js, but of modules that can be joined with others; what Node.js takes by itself is of the older kind. */
const YAML = 'node_modules/yaml/browser/index.js'
/** All in one folder, whatever folder they come from. */
const NAMES = { entryNames: '[name]', chunkNames: '[name]-[hash]' }

/**
 * Joins the sources into few files of JavaScript in `folder`, which is emptied first: what a command needs only sometimes
 * stays in files of its own. Native code is left where it is, in `node_modules` beside the folder or above it.
 */
export async function buildProgram(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  await build({
    absWorkingDir: ROOT,
    entryPoints: ENTRIES,
    outdir: folder,
    ...NAMES,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node26',
    external: ['koffi'],
    plugins: [lazyBuiltins],
    alias: { yaml: join(ROOT, YAML) },
    legalComments: 'eof',
    logLevel: 'warning',
  })
}
