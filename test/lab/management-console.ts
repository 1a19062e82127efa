import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { pathWithSystemFolders } from '../../tools/test/debian-packages.ts'

const run = promisify(execFile)
const TIMEOUT_MS = 60_000

/** Tells a running kernel what to do, as a hypervisor would; the guest's own processes have no part in it. */
export async function tellKernel(
  host: { readonly folder: string; readonly umid: string },
  command: string,
): Promise<string> {
  const socket = join(host.folder, host.umid, 'mconsole')
  const { stdout } = await run('uml_mconsole', [socket, ...command.split(' ')], {
    timeout: TIMEOUT_MS,
    env: { ...process.env, PATH: pathWithSystemFolders(process.env['PATH']) },
  })
  const said = stdout.trim()
  if (/^ERR/m.test(said)) throw new Error(`Cannot tell the kernel to "${command}": ${said}`)
  return said
}
