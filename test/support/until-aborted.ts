import { once } from 'node:events'

/** Waits until the signal is aborted; it may be so already, and then its event does not come again. */
export async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
}
