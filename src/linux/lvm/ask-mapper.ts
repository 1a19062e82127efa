import { BackupError, type ErrorCode } from '../../domain/backup-error.ts'
import { errnoMeaning } from '../../domain/errno.ts'
import { openMapperCalls, type MapperCalls } from './mapper-calls.ts'
import { runDmsetup } from './run-lvm.ts'

/**
 * What `dmsetup status` or `dmsetup table` prints of a device, asked of the kernel itself: images are asked for every few
 * seconds, and the host that is backed up is to feel nothing of it. Throws `code`.
 */
export async function askMapper(
  { what, device }: { readonly what: 'status' | 'table'; readonly device: string },
  how: { readonly action: string; readonly code: ErrorCode; readonly signal: AbortSignal },
): Promise<string> {
  using calls = callsOrNull()
  if (calls === null) return await runDmsetup([what, device], how)
  how.signal.throwIfAborted()
  try {
    return await calls[what](device)
  } catch (cause) {
    const reason = cause instanceof RangeError ? cause.message : (errnoMeaning(cause) ?? String(cause))
    throw new BackupError(how.code, `Cannot ${how.action}: ${reason}`, { data: { device }, cause })
  }
}

/** Where the kernel cannot be asked the program says why, or makes that it can. */
function callsOrNull(): MapperCalls | null {
  try {
    return openMapperCalls()
  } catch {
    return null
  }
}
