import { writeFileSync } from 'node:fs'
import { loadNative } from '../native.ts'

// bits/mman-linux.h
const MCL_CURRENT = 1
const MCL_FUTURE = 2
const MCL_ONFAULT = 4

/**
 * Keeps this process from waiting for a disk, and from being chosen when memory is short, as far as the system lets
 * it: both need root. Pages are locked as they come into use, not all that is reserved.
 */
export function keepInMemory(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '-1000')
  } catch {
    // As an ordinary user it is as likely to be chosen as anything else.
  }
  const mlockall = loadNative()?.func('int mlockall(int flags)')
  mlockall?.(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)
}
