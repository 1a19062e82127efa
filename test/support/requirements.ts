import { closeSync, openSync, rmSync, writeFileSync, ftruncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { runTool } from './run-tool.ts'

/**
 * What `test(name, { skip: … })` takes: false where the test can run, else the reason, which the test run lists
 * at its end.
 */
export type SkipReason = string | false

/** For tests that change the system: devices, mounts. */
export function needsRoot(): SkipReason {
  return process.getuid?.() === 0 ? false : 'needs root'
}

/** For tests of what a user who is not root sees: to root, every file is readable and writable. */
export function needsOrdinaryUser(): SkipReason {
  return process.getuid?.() === 0 ? 'needs an ordinary user: root may read and write everything' : false
}

let loopDevices: SkipReason | undefined

/** For tests on block devices. Tried once a process, on a small file. */
export function needsLoopDevices(): SkipReason {
  loopDevices ??= needsRoot() || tryLoopDevice()
  return loopDevices
}

function tryLoopDevice(): SkipReason {
  const path = join(tmpdir(), `icecore-test-loop-${process.pid}`)
  try {
    writeFileSync(path, '')
    const file = openSync(path, 'r+')
    ftruncateSync(file, 1024 * 1024)
    closeSync(file)
    const device = runTool('losetup', ['--find', '--show', path]).trim()
    try {
      closeSync(openSync(device, 'r'))
      return false
    } finally {
      runTool('losetup', ['--detach', device])
    }
  } catch (error) {
    const lines = error instanceof Error ? error.message.trim().split('\n') : [String(error)]
    return `needs loop devices: ${lines.at(-1)}`
  } finally {
    rmSync(path, { force: true })
  }
}
