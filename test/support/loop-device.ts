import { runTool } from './run-tool.ts'

export type LoopDevice = Disposable & { readonly path: string; readonly sectorSizeBytes: number }

export type LoopDeviceOptions = {
  /** Logical sector size: 512 (the default) or 4096. */
  readonly sectorSizeBytes?: number
  readonly readOnly?: boolean
}

/**
 * A block device whose bytes are a file's; detached at the end of the block. Needs `needsLoopDevices()`. The file's
 * size must be a multiple of the sector size, or the device ends before the file does.
 */
export function loopDevice(path: string, options: LoopDeviceOptions = {}): LoopDevice {
  const sectorSizeBytes = options.sectorSizeBytes ?? 512
  const words = ['--find', '--show', '--sector-size', String(sectorSizeBytes)]
  if (options.readOnly === true) words.push('--read-only')
  const device = attach([...words, path])
  return {
    path: device,
    sectorSizeBytes,
    [Symbol.dispose]: () => {
      runTool('losetup', ['--detach', device])
    },
  }
}

/** Two tests that run at once may be told of the same free device: the one who comes second asks again. */
function attach(words: readonly string[]): string {
  const attemptCount = 10
  for (let attempt = 1; ; attempt += 1) {
    try {
      return runTool('losetup', words).trim()
    } catch (error) {
      const busy =
        error instanceof Error && /Device or resource busy|Resource temporarily/.test(error.message)
      if (!busy || attempt === attemptCount) throw error
    }
  }
}
