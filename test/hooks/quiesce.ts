import { randomBytes } from 'node:crypto'

import type { Hook } from '../../src/capture/hooks/hook.ts'
import {
  type Quiesced,
  type QuiescencePlan,
  withQuiescence,
} from '../../src/capture/hooks/with-quiescence.ts'
import { startWatchdog } from '../../src/linux/watchdog/start-watchdog.ts'
import type { TemporaryFolder } from '../support/temporary-folder.ts'

/** A hook that writes its stage, its result and `word` as one line to `$JOURNAL`, then runs `script`. */
export function journalHook(word: string, script = '', change: Partial<Hook> = {}): Hook {
  const line = 'echo "$ICECORE_STAGE ${ICECORE_FREEZE_RESULT:--} $0" >> "$JOURNAL"'
  return {
    command: ['/bin/sh', '-c', `${line}\n${script}`, word],
    timeoutMs: 20_000,
    onFailure: 'abort',
    ...change,
  }
}

export function planOf(plan: Partial<QuiescencePlan>): QuiescencePlan {
  return {
    runId: randomBytes(4).toString('hex'),
    lineage: 'host:/dev/vg0/home',
    sources: ['/dev/vg0/home'],
    hooks: { beforeFreeze: [], afterThaw: [] },
    mountPoints: [],
    freezeDeadlineMs: 10_000,
    ...plan,
  }
}

/** What a freeze made, and whether it was disposed of. */
export class Made implements AsyncDisposable {
  isDisposed = false

  async [Symbol.asyncDispose](): Promise<void> {
    this.isDisposed = true
    await Promise.resolve()
  }
}

export type QuiesceOptions = {
  readonly environment?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
  readonly notices?: string[]
}

/** Runs `freeze` in a window with a watchdog of its own; hooks find the folder's `journal` in `$JOURNAL`. */
export async function quiesce<Frozen extends AsyncDisposable>(
  folder: TemporaryFolder,
  change: Partial<QuiescencePlan> & QuiesceOptions,
  freeze: (signal: AbortSignal, letGo: () => Promise<void>) => Promise<Frozen>,
): Promise<Quiesced<Frozen>> {
  const { environment, signal, notices, ...plan } = change
  const planned = planOf(plan)
  await using guard = await startWatchdog({
    runId: planned.runId,
    logPath: folder.join('state', 'watchdog.log'),
  })
  const parts = {
    guard,
    environment: { PATH: '/usr/bin:/bin', JOURNAL: folder.join('journal'), ...environment },
    notice: (message: string) => void notices?.push(message),
    signal: signal ?? new AbortController().signal,
  }
  return await withQuiescence(parts, planned, freeze)
}
