import { execFile } from 'node:child_process'
import { join } from 'node:path'

import { pathWithSystemFolders } from '../../tools/test/debian-packages.ts'

const TIMEOUT_MS = 60_000

/** Tells a running kernel what to do, as a hypervisor would; the guest's own processes have no part in it. */
export async function tellKernel(
  host: { readonly folder: string; readonly umid: string },
  command: string,
): Promise<void> {
  const socket = join(host.folder, host.umid, 'mconsole')
  const environment = { ...process.env, PATH: pathWithSystemFolders(process.env['PATH']) }
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const words = [socket, ...command.split(' ')]
  execFile('uml_mconsole', words, { timeout: TIMEOUT_MS, env: environment }, (error, stdout) => {
    // What went wrong is the kernel's answer; the program's own warnings are about other places to look for the socket.
    if (error !== null || stdout.startsWith('ERR'))
      reject(
        new Error(`Cannot tell the kernel of a lab host to "${command}": ${stdout.trim()}`, { cause: error }),
      )
    else resolve()
  })
  return await promise
}
