import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { giveToLabUser } from '../../tools/lab/lab-user.ts'
import { fetchUmlKernel, type UmlKernel } from '../../tools/lab/uml-kernel.ts'
import { processLogFolder } from './lab-logs.ts'
import { startNetwork, type Network } from './network.ts'
import { startWatchdog, type Watchdog } from './watchdog.ts'

/** What the hosts of one test have in common: a folder, which goes away with all that runs in it. */
export type Lab = AsyncDisposable & {
  readonly kernel: UmlKernel
  /** Disk images and sockets; guests do not see it. */
  readonly folder: string
  /** Readable and writable here and in every guest, at this path. A guest owns what it makes in it. */
  readonly share: string
  /** What the hosts print. */
  readonly logFolder: string
  readonly watchdog: Watchdog
  /** A new disk image, sparse; returns its path. */
  diskImage(name: string, sizeMiB: number): string
  /** The one network of the lab's hosts; started when the first one is attached to it. */
  network(): Promise<Network>
  /** Called at the end, the last one first. */
  defer(release: () => Promise<void>): void
}

/**
 * `await using lab = openLab()`. Needs `needsLab()`. Whatever way this process ends, the hosts are killed and the
 * folder is removed.
 */
export function openLab(): Lab {
  const kernel = fetchUmlKernel()
  const folder = mkdtempSync(join(tmpdir(), 'icecore-test-lab-'))
  const watchdog = startWatchdog(folder)
  giveToLabUser(folder)
  const share = join(folder, 'share')
  mkdirSync(share)
  giveToLabUser(share)
  const stack = new AsyncDisposableStack()
  stack.defer(async () => await watchdog.release())
  let network: Promise<Network> | undefined
  return {
    kernel,
    folder,
    share,
    watchdog,
    logFolder: processLogFolder(),
    diskImage: (name, sizeMiB) => makeImage(join(folder, `${name}.img`), sizeMiB),
    network: async () => {
      network ??= startNetwork(folder, watchdog).then((started) => {
        stack.defer(async () => await started.stop())
        return started
      })
      return await network
    },
    defer: (release) => stack.defer(release),
    [Symbol.asyncDispose]: async () => await stack.disposeAsync(),
  }
}

function makeImage(path: string, sizeMiB: number): string {
  const file = openSync(path, 'wx')
  try {
    ftruncateSync(file, sizeMiB * 1024 * 1024)
  } finally {
    closeSync(file)
  }
  return path
}
