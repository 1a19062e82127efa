import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { join } from 'node:path'

const DOWNLOAD_TIMEOUT_MS = 300_000

/**
 * Downloads a package of Debian into `folder` and unpacks it below `folder/NAME`, without installing it; gives that folder.
 * Needs no root. Throws an Error that says why it cannot be had.
 */
export function unpackDebianPackage(name: string, folder: string): string {
  try {
    runTool('apt-get', ['download', name], folder)
  } catch (error) {
    // Lists that are older than the archive name a package that is not there any more; only root may renew them.
    if (process.getuid?.() !== 0) throw error
    runTool('apt-get', ['update'], folder)
    runTool('apt-get', ['download', name], folder)
  }
  const [archive] = globSync(`${name}_*.deb`, { cwd: folder })
  if (archive === undefined)
    throw new Error(`Cannot download package "${name}": apt-get left no file, a package was expected`)
  const unpacked = join(folder, name)
  runTool('dpkg-deb', ['--extract', join(folder, archive), unpacked], folder)
  return unpacked
}

function runTool(command: string, words: readonly string[], cwd: string): void {
  const result = spawnSync(command, words, { cwd, encoding: 'utf8', timeout: DOWNLOAD_TIMEOUT_MS })
  if (result.error !== undefined)
    throw new Error(`Cannot run "${command}": ${result.error.message}`, { cause: result.error })
  if (result.status === 0) return
  const lastLine = `${result.stdout}${result.stderr}`.trim().split('\n').at(-1) ?? ''
  throw new Error(`Cannot run "${[command, ...words].join(' ')}": ${lastLine}`)
}
