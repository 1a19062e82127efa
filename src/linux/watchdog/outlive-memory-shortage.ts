import { writeFileSync } from 'node:fs'

/**
 * Asks not to be chosen when memory is short, which needs root. Memory is not locked: V8 gives some of it back with
 * madvise(2), which the kernel refuses for locked pages, and then V8 ends the process.
 */
export function outliveMemoryShortage(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '-1000')
  } catch {
    // As an ordinary user it is as likely to be chosen as anything else.
  }
}
