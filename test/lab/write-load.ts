import { fileURLToPath } from 'node:url'

import { withDeadline } from './deadline.ts'
import type { LabHost } from './lab-host.ts'

const SCRIPT = fileURLToPath(new URL('guest/write-load.ts', import.meta.url))
const FIRST_WRITE_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 60_000

export type WriteLoadOptions = {
  /** Devices or files that are there, written to in turn: one write to each. */
  readonly paths: readonly string[]
  readonly seed: number
  /** How much of each is written to, from its beginning; its size by default. */
  readonly spanBytes?: number
  /** Bytes of a write, default 16 KiB; it begins at a multiple of it. */
  readonly blockBytes?: number
  /** Rests so long after every 16 writes; default: not at all. */
  readonly pauseMs?: number
}

export type WriteLoad = {
  /** Ends it; resolves with the number of writes. Rejects when one failed. */
  stop(): Promise<number>
}

/**
 * A process on the host that writes as fast as it can until it is stopped, past the page cache, a write after the other,
 * at places that the seed decides. A block that it wrote begins with the number of its write, from 1, as 8 bytes
 * little-endian, and goes on with bytes that follow from it (`guest/write-load.ts`).
 */
export async function startWriteLoad(host: LabHost, options: WriteLoadOptions): Promise<WriteLoad> {
  const writer = host.start([process.execPath, SCRIPT, JSON.stringify(options)])
  await withDeadline(
    writer.untilStdout('writing'),
    FIRST_WRITE_TIMEOUT_MS,
    () => 'Cannot start the write load',
  )
  return {
    stop: async () => {
      writer.signal('SIGTERM')
      const { exitCode, stdout, stderr } = await withDeadline(writer.ended, STOP_TIMEOUT_MS, cannotStop)
      const [, count] = /^wrote (\d+)$/m.exec(stdout) ?? []
      if (exitCode !== 0 || count === undefined) throw new Error(`The write load failed: ${stdout}${stderr}`)
      return Number(count)
    },
  }
}

function cannotStop(): string {
  return 'Cannot stop the write load: a write does not end'
}
