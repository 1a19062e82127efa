import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, ftruncateSync, mkdirSync, openSync } from 'node:fs'
import { loopDevice } from './loop-device.ts'
import { runTool } from './run-tool.ts'
import { unmount } from './unmount.ts'
import type { TemporaryFolder } from './temporary-folder.ts'

const MIB = 1024 * 1024

export type MountedFileSystem = Disposable & {
  readonly image: string
  readonly mountPoint: string
}

/** A new file system on a loop device, mounted; thawed and unmounted at the end of the block. Needs `needsLoopDevices()`. */
export function mountedFileSystem(
  folder: TemporaryFolder,
  name: string,
  { format = 'ext4', sizeBytes = 64 * MIB }: { format?: 'ext4' | 'xfs'; sizeBytes?: number } = {},
): MountedFileSystem {
  const image = folder.join(`${name}.img`)
  const file = openSync(image, 'w')
  ftruncateSync(file, sizeBytes)
  closeSync(file)
  runTool(`mkfs.${format}`, [format === 'xfs' ? '-q' : '-Fq', image])
  const mountPoint = folder.join(name)
  mkdirSync(mountPoint)
  using stack = new DisposableStack()
  const device = stack.use(loopDevice(image))
  runTool('mount', [device.path, mountPoint])
  stack.defer(() => {
    // One that a failed test left frozen could not be unmounted.
    runTool('fsfreeze', ['--unfreeze', mountPoint], { allowedExitCodes: [0, 1] })
    unmount(mountPoint)
  })
  const held = stack.move()
  return { image, mountPoint, [Symbol.dispose]: () => held.dispose() }
}

/**
 * Whether a write in another process goes through within `timeoutMs`. A writer into a frozen file system cannot even
 * be killed: it goes on when that is thawed.
 */
export async function isWritable(mountPoint: string, timeoutMs: number): Promise<boolean> {
  const writer = spawn('/bin/sh', ['-c', 'echo written > "$0/write-test"', mountPoint], { stdio: 'ignore' })
  try {
    await once(writer, 'exit', { signal: AbortSignal.timeout(timeoutMs) })
    return writer.exitCode === 0
  } catch {
    writer.unref()
    return false
  }
}
