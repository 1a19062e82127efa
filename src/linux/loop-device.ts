import { execFile, execFileSync } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A block device made of a file, for tests and demonstrations; disposing of it detaches it. */
export type LoopDevice = AsyncDisposable & { readonly path: string }

export type LoopDeviceOptions = {
  readonly sectorSizeBytes?: number
  readonly readOnly?: boolean
}

/** Attaches `file` to a free loop device by losetup(8). Needs root. */
export async function attachLoopDevice(file: string, options: LoopDeviceOptions = {}): Promise<LoopDevice> {
  const flags = options.readOnly === true ? ['--read-only'] : []
  const sectorSize = String(options.sectorSizeBytes ?? 512)
  const { stdout } = await run('losetup', ['--find', '--show', '--sector-size', sectorSize, ...flags, file])
  const path = stdout.trim()
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      await run('losetup', ['--detach', path])
    },
  }
}

/** Why no loop device can be had here; false when one can: what node:test takes as `skip`. */
export function noLoopDevices(): string | false {
  if (process.getuid?.() !== 0) return 'needs root for loop devices'
  try {
    execFileSync('losetup', ['--find'], { stdio: 'pipe' })
    return false
  } catch (error) {
    return `needs loop devices: ${error instanceof Error ? error.message.trim() : String(error)}`
  }
}
