import { runTool } from './run-tool.ts'

const ATTEMPTS = 50
const WAIT_MS = 100

/** Waits for what was killed a moment ago, and for who only looks what lies there: either may have a file open. */
export function unmount(path: string): void {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return void runTool('umount', [path])
    } catch (error) {
      if (attempt === ATTEMPTS) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT_MS)
    }
  }
}
