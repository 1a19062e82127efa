import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { asLabUser, giveToLabUser } from './lab-user.ts'
import { labCacheFolder } from './cache-folder.ts'
import type { UmlKernel } from './uml-kernel.ts'

/** Usually 1 s. */
const TRIAL_TIMEOUT_MS = 60_000

/**
 * Undefined where the kernel runs, else what it said last. Tried once after each start of this machine: the kernel is
 * started with `/bin/true` as its first process, which takes a second, and the panic at its end is what is looked for.
 */
export function whyUmlCannotRun(kernel: UmlKernel): string | undefined {
  const mark = join(labCacheFolder(), `runs-${bootId()}-${process.getuid?.() ?? 0}`)
  if (existsSync(mark)) return undefined
  const said = trialRun(kernel)
  if (!/Attempted to kill init! exitcode=0x00000000/.test(said))
    return said.trim().split('\n').slice(0, 20).join('\n')
  try {
    mkdirSync(labCacheFolder(), { recursive: true })
    writeFileSync(mark, '')
  } catch {
    // The next process tries again.
  }
  return undefined
}

function trialRun(kernel: UmlKernel): string {
  const folder = mkdtempSync(join(tmpdir(), 'icecore-lab-trial-'))
  try {
    giveToLabUser(folder)
    const console = 'con0=fd:0,fd:1 con=null ssl=null'
    const root = 'root=/dev/root rootfstype=hostfs rootflags=/ ro init=/bin/true'
    const settings = `mem=64M ${root} ${console} umid=trial`.split(' ')
    const [program, ...words] = [...asLabUser(), kernel.path, ...settings, `uml_dir=${folder}`]
    const result = spawnSync(program, words, { encoding: 'utf8', timeout: TRIAL_TIMEOUT_MS, cwd: folder })
    return `${result.error?.message ?? ''}${result.stdout}${result.stderr}`
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
}
