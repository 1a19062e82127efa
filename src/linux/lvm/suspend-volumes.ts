import { randomBytes } from 'node:crypto'
import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import type { LvmVolume } from '../../domain/logical-volume.ts'
import { errnoMeaning, errnoOf } from '../../domain/errno.ts'
import { startWatchdog } from '../watchdog/start-watchdog.ts'
import { mapperName } from './device-mapper-status.ts'
import { openMapperCalls } from './mapper-calls.ts'
import { runDmsetup } from './run-lvm.ts'

/** Volumes whose writers wait. To dispose of it resumes them. */
export type SuspendedVolumes = AsyncDisposable & {
  /** Resumes them. Throws FREEZE_FAILED when they did not stand still all the time. */
  resume(): Promise<{ readonly windowMs: number }>
}

/**
 * Suspends volumes, all at once, with their file systems at a clean point. The watchdog knows of it before: it resumes
 * them when this process dies, and when `deadlineMs` have passed.
 */
export async function suspendVolumes(
  volumes: readonly LvmVolume[],
  deadlineMs: number,
  signal: AbortSignal,
): Promise<SuspendedVolumes> {
  const devices = volumes.map(({ groupName, name }) => mapperName(groupName, name))
  await using stack = new AsyncDisposableStack()
  const watchdog = stack.use(await startWatchdog({ runId: randomBytes(8).toString('hex'), logPath: null }))
  const switches = stack.use(openSwitches())
  await watchdog.expectSuspended(devices, deadlineMs)
  signal.throwIfAborted()
  const startedAt = performance.now()
  let isSuspended = true
  const resume = async (): Promise<{ readonly windowMs: number }> => {
    isSuspended = false
    await settleAll(devices.map((device) => switches.resume(device)))
    const windowMs = Math.ceil(performance.now() - startedAt)
    if (await watchdog.resumed()) return { windowMs }
    const message = `Cannot freeze: the volumes were suspended longer than ${deadlineMs / 1000} s and were resumed by the watchdog`
    throw new BackupError(ErrorCode.FreezeFailed, message, { data: { windowMs } })
  }
  // Whoever leaves it to this has a failure to tell already; what cannot be resumed here, the watchdog tries again.
  stack.defer(async () => {
    if (isSuspended) await resume().catch(() => {})
  })
  await settleAll(devices.map((device) => switches.suspend(device)))
  const held = stack.move()
  return { resume, [Symbol.asyncDispose]: () => held.disposeAsync() }
}

type Switches = Disposable & {
  suspend(device: string): Promise<void>
  resume(device: string): Promise<void>
}

/** The kernel's own calls, or else the program. */
function openSwitches(): Switches {
  const calls = openMapperCalls()
  if (calls === null) {
    return {
      suspend: (device) => switchByProgram('suspend', device),
      resume: (device) => switchByProgram('resume', device),
      [Symbol.dispose]: () => {},
    }
  }
  return {
    suspend: (device) => explain('suspend', device, calls.suspend(device)),
    resume: (device) => explain('resume', device, calls.resume(device)),
    [Symbol.dispose]: () => calls[Symbol.dispose](),
  }
}

async function switchByProgram(what: 'suspend' | 'resume', device: string): Promise<void> {
  const { signal } = new AbortController()
  await runDmsetup([what, device], { action: `${what} "${device}"`, code: ErrorCode.FreezeFailed, signal })
}

async function explain(what: 'suspend' | 'resume', device: string, call: Promise<void>): Promise<void> {
  try {
    await call
  } catch (cause) {
    const reason =
      errnoOf(cause) === 'EBUSY'
        ? 'its file system is frozen already'
        : (errnoMeaning(cause) ?? String(cause))
    const next = what === 'resume' ? `; required is "dmsetup resume ${device}"` : ''
    const message = `Cannot ${what} "${device}": ${reason}${next}`
    throw new BackupError(ErrorCode.FreezeFailed, message, { data: { device }, cause })
  }
}

/** Waits for all, also when one fails: a volume that is suspended late must be resumed after that. */
async function settleAll(work: readonly Promise<void>[]): Promise<void> {
  await Promise.allSettled(work)
  await Promise.all(work)
}
