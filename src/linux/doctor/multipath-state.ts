import { findProgram } from '../find-program.ts'
import { readSysfs } from '../sysfs.ts'

/** Whether dm-multipath is installed, and its daemon listens on its socket (multipathd(8)). */
export async function multipathState(): Promise<{
  readonly isInstalled: boolean
  readonly isRunning: boolean
}> {
  const sockets = (await readSysfs('/proc/net/unix')) ?? ''
  return {
    isInstalled: findProgram('multipathd', process.env['PATH']) !== null,
    isRunning: /@?\/(?:org\/kernel\/linux\/storage\/multipathd|run\/multipathd\.socket)/.test(sockets),
  }
}
