import type { ProvidedImage } from '../capture/provider/provided-image.ts'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import { deviceUse } from '../linux/device-use.ts'
import { openLocalSource } from '../linux/local-source.ts'

/** A device or file that somebody else froze, as an image. Throws SOURCE_IN_USE when it is mounted for writing. */
export async function deviceImage(path: string): Promise<ProvidedImage & AsyncDisposable> {
  await using stack = new AsyncDisposableStack()
  const source = stack.use(await openLocalSource(path))
  const { mountedReadWrite } = await deviceUse(source.realPath)
  if (mountedReadWrite.length > 0) {
    const message = `Cannot read "${path}": it is mounted for writing at "${mountedReadWrite.join('", "')}" and nothing below it can be frozen, required is an image that stands still, such as a snapshot of it`
    throw new BackupError(ErrorCode.SourceInUse, message, { data: { path } })
  }
  const before = await source.fingerprint()
  const { fd, sizeBytes, direct, identity } = source
  const opened = stack.move()
  return {
    held: {
      provider: 'device',
      id: before,
      label: path,
      source: path,
      lineageKey: '',
      use: { kind: 'run', leaseEndsAtMs: 0, owner: '' },
      createdAtMs: 0,
      cost: { heldBytes: null, roomBytes: null },
    },
    image: source.image(),
    devices: [{ path, fd, sizeBytes, direct, identity }],
    changesSince: null,
    identify: async (signal) => {
      signal.throwIfAborted()
      if ((await source.fingerprint()) === before) return []
      const message = `Cannot go on reading "${path}": it was written to or replaced, required is an image that stands still`
      throw new BackupError(ErrorCode.SourceChanged, message, { data: { path } })
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}
