import { findProgram } from '../find-program.ts'
import { openMapperCalls, type MapperCalls } from '../lvm/mapper-calls.ts'
import { startProgram } from '../run-program.ts'

const RESUME_TIMEOUT_MS = 60_000

/**
 * Device-mapper devices that icecore suspends itself, because what comes next has to be quick. They are known here
 * before the first is suspended; to resume one that is not is no harm.
 */
export class SuspendedDevices {
  #devices: readonly string[] = []
  #deadline: NodeJS.Timeout | undefined
  #hasExpired = false
  /** Opened before anything stands still: this may be where the system itself lies. */
  #calls: MapperCalls | null = null

  expect(devices: readonly string[], deadlineMs: number): void {
    this.#calls ??= openMapperCalls()
    this.#devices = devices
    this.#hasExpired = false
    this.#deadline = setTimeout(() => {
      this.#hasExpired = true
      void this.resume()
    }, deadlineMs)
  }

  /** Icecore has resumed them. False when that was too late. */
  release(): boolean {
    clearTimeout(this.#deadline)
    this.#devices = []
    return !this.#hasExpired
  }

  /** Resumes all of them, each as soon as that can be. Gives what it did, as sentences. */
  async resume(): Promise<readonly string[]> {
    clearTimeout(this.#deadline)
    const devices = this.#devices
    this.#devices = []
    return await Promise.all(devices.map(async (device) => await this.#resumeOne(device)))
  }

  async #resumeOne(device: string): Promise<string> {
    try {
      if (this.#calls === null) return await resumeByProgram(device)
      const wasSuspended = await this.#calls.isSuspended(device)
      await this.#calls.resume(device)
      return wasSuspended ? `Resumed "${device}"` : `"${device}" was not suspended`
    } catch (error) {
      return `"${device}" cannot be resumed: ${error instanceof Error ? error.message : String(error)}`
    }
  }
}

async function resumeByProgram(device: string): Promise<string> {
  const program = findProgram('dmsetup', process.env['PATH']) ?? 'dmsetup'
  const command = [program, 'resume', device]
  const end = await startProgram({ command, environment: {}, timeoutMs: RESUME_TIMEOUT_MS }).end
  return end.exitCode === 0 ? `Resumed "${device}"` : `"${device}" cannot be resumed: ${end.output.trim()}`
}
