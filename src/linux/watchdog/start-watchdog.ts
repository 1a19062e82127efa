import { spawn } from 'node:child_process'
import module from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import type { Watchdog } from './watchdog.ts'
import { WatchdogProcess } from './watchdog-process.ts'

export type WatchdogOptions = {
  /** Names the run in the logs. */
  readonly runId: string
  /** Where it says what it undid because icecore died; null: only to the system's log. */
  readonly logPath: string | null
}

const PROGRAM = fileURLToPath(new URL('./serve.js', import.meta.url))
const START_TIMEOUT_MS = 20_000
/** A freeze that hangs takes a thread of the pool; there must be one for each, and others for those that thaw. */
const POOL_THREADS = 32
const HEAP_MIB_MAX = 48

/** Resolves when the watchdog has loaded all that it needs. Throws FREEZE_FAILED. */
export async function startWatchdog(options: WatchdogOptions): Promise<Watchdog> {
  const child = spawn(process.execPath, [`--max-old-space-size=${HEAP_MIB_MAX}`, '--no-warnings', PROGRAM], {
    cwd: '/',
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: environmentOf(options),
  })
  const watchdog = new WatchdogProcess(child)
  try {
    await watchdog.ready(AbortSignal.timeout(START_TIMEOUT_MS))
  } catch (cause) {
    child.kill('SIGKILL')
    throw new BackupError(ErrorCode.FreezeFailed, 'Cannot freeze: the watchdog did not start', { cause })
  }
  return watchdog
}

/** Nothing of icecore's own environment, which may hold a password. */
function environmentOf({ runId, logPath }: WatchdogOptions): NodeJS.ProcessEnv {
  // Without it the types of every file would be stripped again.
  const compiled = module.getCompileCacheDir()
  return {
    PATH: process.env['PATH'] ?? '',
    UV_THREADPOOL_SIZE: String(POOL_THREADS),
    ICECORE_RUN_ID: runId,
    ...(logPath === null ? {} : { ICECORE_WATCHDOG_LOG: logPath }),
    ...(compiled === undefined ? {} : { NODE_COMPILE_CACHE: dirname(compiled) }),
  }
}
