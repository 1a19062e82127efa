import {
  chmodSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'

import { labCacheFolder } from './cache-folder.ts'
import { unpackDebianPackage } from './debian-package.ts'
import { mendExtendedState } from './mend-extended-state.ts'
import { neededModules } from './needed-modules.ts'

export type UmlKernel = {
  /** The program that is the kernel. */
  readonly path: string
  /** What `uname -r` says in a guest. */
  readonly release: string
  /** The folder that a guest sees as `/lib/modules/RELEASE`. */
  readonly modulesPath: string
}

/** Changes with what is done to the package's files, so that an older folder is not taken for a newer one. */
const LAYOUT = 'uml-1'

/** The kernel, if it is in the cache. */
function cachedUmlKernel(): UmlKernel | undefined {
  const folder = join(labCacheFolder(), LAYOUT)
  const path = join(folder, 'linux.uml')
  const [release] = existsSync(path) ? readdirSync(join(folder, 'modules')) : []
  if (release === undefined) return undefined
  return { path, release, modulesPath: join(folder, 'modules', release) }
}

/**
 * The kernel from the cache; where it is not, Debian's package is downloaded and unpacked there, not installed. Needs no
 * root. Throws an Error that says why it cannot be had.
 */
export function fetchUmlKernel(): UmlKernel {
  if (process.arch !== 'x64') throw new Error('Cannot start a lab host: User Mode Linux runs on x86-64 only')
  const found = cachedUmlKernel()
  if (found !== undefined) return found
  const cache = labCacheFolder()
  mkdirSync(cache, { recursive: true, mode: 0o755 })
  const work = mkdtempSync(join(cache, 'unpack-'))
  try {
    chmodSync(work, 0o755)
    unpack(work)
    publish(work, join(cache, LAYOUT))
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  const kernel = cachedUmlKernel()
  if (kernel === undefined) throw new Error(`Cannot unpack the lab's kernel: "${cache}" does not hold it`)
  return kernel
}

function unpack(work: string): void {
  const unpacked = unpackDebianPackage('user-mode-linux', work)
  const [from] = globSync(join(unpacked, 'usr/lib/uml/modules/*'))
  if (from === undefined) throw new Error('Cannot unpack "user-mode-linux": it has no kernel modules')
  const ready = join(work, 'ready')
  const modules = join(ready, 'modules', basename(from))
  const index = globSync('modules.*', { cwd: from })
  const wanted = neededModules(readFileSync(join(from, 'modules.dep'), 'utf8'))
  for (const name of [...index, ...wanted]) {
    mkdirSync(dirname(join(modules, name)), { recursive: true })
    renameSync(join(from, name), join(modules, name))
  }
  const program = readFileSync(join(unpacked, 'usr/bin/linux.uml'))
  mendExtendedState(program)
  writeFileSync(join(ready, 'linux.uml'), program, { mode: 0o755 })
}

/** In one step, so that others see it whole or not at all. Whoever comes second takes what the first one made. */
function publish(work: string, target: string): void {
  try {
    renameSync(join(work, 'ready'), target)
  } catch (error) {
    if (cachedUmlKernel() === undefined) throw error
  }
}
