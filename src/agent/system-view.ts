import type { HeldImage } from '../capture/provider/held-image.ts'
import type { FrozenImage } from '../domain/frozen-image.ts'
import { activateVolume } from '../linux/lvm/activate-volume.ts'
import { openLocalSource } from '../linux/local-source.ts'

/** An image as this host's kernel shows it, whatever a map says. */
export type SystemView = AsyncDisposable & Pick<FrozenImage, 'readInto'>

/**
 * What the kernel shows of a frozen image: of a snapshot of LVM the device that device-mapper makes of it, activated
 * read-only and read with direct I/O, so that no map of ours has a part in it. Clones are files, which the provider
 * reads through their file system, and what somebody else froze is a device: there the image is that view itself.
 */
export async function openSystemView(
  { held, image }: { readonly held: Pick<HeldImage, 'provider' | 'label'>; readonly image: FrozenImage },
  signal: AbortSignal,
): Promise<SystemView> {
  if (held.provider !== 'lvm' && held.provider !== 'lvm-thin') {
    return { readInto: (target, offset) => image.readInto(target, offset), [Symbol.asyncDispose]: nothing }
  }
  await using stack = new AsyncDisposableStack()
  // The device of a classic snapshot is there as long as its origin's is.
  if (held.provider === 'lvm-thin') stack.use(await activateVolume(held.label, signal))
  const source = stack.use(await openLocalSource(`/dev/${held.label}`))
  const view = source.image()
  const opened = stack.move()
  return {
    readInto: (target, offset) => view.readInto(target, offset),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

function nothing(): Promise<void> {
  return Promise.resolve()
}
