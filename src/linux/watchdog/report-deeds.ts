import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { systemClock } from '../../domain/clock.ts'

/** A log that nobody reads does not grow for ever. */
const LOG_BYTES_MAX = 1024 * 1024
const SYSLOG_TIMEOUT_MS = 5000

/** Says what was undone because icecore died: in its log, and in that of the system. */
export async function reportDeeds(deeds: readonly string[], logPath: string | undefined): Promise<void> {
  if (deeds.length === 0) return
  const now = systemClock.now().toISOString()
  const lines = deeds.map((deed) => `${now} icecore ${process.env['ICECORE_RUN_ID'] ?? ''} died: ${deed}\n`)
  await Promise.allSettled([writeLog(lines.join(''), logPath), tellSystem(deeds.join('; '))])
}

async function writeLog(text: string, path: string | undefined): Promise<void> {
  if (path === undefined || path === '') return
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const size = await stat(path).then(
    (status) => status.size,
    () => 0,
  )
  if (size < LOG_BYTES_MAX) await appendFile(path, text, { mode: 0o600 })
}

async function tellSystem(text: string): Promise<void> {
  const logger = spawn('logger', ['-t', 'icecore', '-p', 'daemon.warning', '--', `icecore died: ${text}`], {
    stdio: 'ignore',
    timeout: SYSLOG_TIMEOUT_MS,
  })
  await once(logger, 'exit')
}
