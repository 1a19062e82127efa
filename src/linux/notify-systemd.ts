import { findProgram } from './find-program.ts'
import { startProgram } from './run-program.ts'

const TIMEOUT_MS = 5000

/** Tells systemd how the service does, by its own program (systemd-notify(1)): a socket of that kind Node.js cannot open. */
export async function notifySystemd(
  state: '--ready' | '--stopping' | '--reloading',
  environment: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const socket = environment['NOTIFY_SOCKET']
  const program = findProgram('systemd-notify', environment['PATH'])
  if (socket === undefined || socket === '' || program === null) return
  const command = [program, state, `--pid=${process.pid}`]
  await startProgram({ command, environment: { NOTIFY_SOCKET: socket }, timeoutMs: TIMEOUT_MS }).end
}
