/** The number of "function not implemented": of a call that this system has not, or that cannot be reached. */
export const ENOSYS = 38

/** What the kernel's block layer and file systems mean by these (linux/blk-core.c, blk_errors). */
const MEANING: Readonly<Record<string, string>> = {
  EIO: 'the device reports EIO, an input/output error',
  ENODATA: 'the device reports ENODATA, a medium error',
  EREMOTEIO: 'the device reports EREMOTEIO, a critical error of the target',
  ENOLINK: 'the device reports ENOLINK, the transport failed',
  EBADE: 'the device reports EBADE, a reservation of another host forbids it',
  EILSEQ: 'the device reports EILSEQ, a checksum or protection error',
  ETIMEDOUT: 'the device reports ETIMEDOUT, it did not answer in time',
  ENXIO: 'the device reports ENXIO, it is gone',
  ENODEV: 'the device reports ENODEV, it is gone',
  ENOMEDIUM: 'the device reports ENOMEDIUM, it has no medium',
  ENOSPC: 'the system reports ENOSPC, no space is left',
  EDQUOT: 'the system reports EDQUOT, the quota is used up',
  EFBIG: 'the system reports EFBIG, the file would be larger than the file system allows',
  EROFS: 'the system reports EROFS, it is read-only',
  EACCES: 'the system reports EACCES, permission is denied',
  EPERM: 'the system reports EPERM, the operation is not permitted',
  EBUSY: 'the system reports EBUSY, something else uses it',
  EEXIST: 'the system reports EEXIST, the name is taken',
  EINVAL: 'the system reports EINVAL, the request does not fit it',
  ESTALE: 'the system reports ESTALE, the file was removed on the server',
}

/** The name of the system's error, such as `EIO`; null when `cause` is no error of the system. */
export function errnoOf(cause: unknown): string | null {
  if (!(cause instanceof Error) || !('code' in cause) || typeof cause.code !== 'string') return null
  return /^E[A-Z0-9]+$/.test(cause.code) ? cause.code : null
}

/** What a system error means, as half a sentence; null when `cause` is no error of the system. */
export function errnoMeaning(cause: unknown): string | null {
  const errno = errnoOf(cause)
  return errno === null ? null : (MEANING[errno] ?? `the system reports ${errno}`)
}
