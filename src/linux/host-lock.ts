// oxlint-disable-next-line no-restricted-imports -- A lock that the kernel keeps: nothing leaves the host.
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { errnoOf } from '../domain/errno.ts'

const RETRY_MS = 50

/**
 * Waits for what one process of this host may do at a time. The lock is a socket without a file, in the abstract
 * namespace (unix(7)): the kernel takes it back when the process ends, however it ends. Hosts in containers, with
 * network namespaces of their own, do not see one another.
 */
export async function lockHost(name: string, signal: AbortSignal): Promise<AsyncDisposable> {
  for (;;) {
    signal.throwIfAborted()
    const held = await tryLock(`\0icecore-${name}`)
    if (held !== null) return held
    await sleep(RETRY_MS, undefined, { signal })
  }
}

async function tryLock(address: string): Promise<AsyncDisposable | null> {
  const server = createServer((socket) => socket.destroy())
  const opened = await new Promise<boolean>((resolve, reject) => {
    server.once('error', (error) => (errnoOf(error) === 'EADDRINUSE' ? resolve(false) : reject(error)))
    server.listen(address, () => resolve(true))
  })
  if (!opened) return null
  server.unref()
  return {
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
      }),
  }
}
