import { diskStatistics, type DiskStatistics } from '../linux/disk-statistics.ts'
import type { DiskLoad } from '../rpc/agent-api.ts'

/** How the disks under an image did since the question before, at first since it was frozen. */
export class DiskLoadMeter {
  readonly #deviceNumbers: readonly string[]
  #before: DiskStatistics | null

  private constructor(deviceNumbers: readonly string[], before: DiskStatistics | null) {
    this.#deviceNumbers = deviceNumbers
    this.#before = before
  }

  static async start(deviceNumbers: readonly string[]): Promise<DiskLoadMeter> {
    return new DiskLoadMeter(deviceNumbers, await diskStatistics(deviceNumbers))
  }

  async load(): Promise<DiskLoad> {
    const before = this.#before
    const now = await diskStatistics(this.#deviceNumbers)
    this.#before = now
    if (before === null || now === null) return { readLatencyMs: null, writeLatencyMs: null, inFlight: 0 }
    return {
      readLatencyMs: average(now.readMs - before.readMs, now.reads - before.reads),
      writeLatencyMs: average(now.writeMs - before.writeMs, now.writes - before.writes),
      inFlight: now.inFlight,
    }
  }
}

/** Null where nothing was done; counters that went back are those of another disk. */
function average(totalMs: number, count: number): number | null {
  return count <= 0 || totalMs < 0 ? null : totalMs / count
}
