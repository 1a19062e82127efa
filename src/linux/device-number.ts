/**
 * `major:minor` of a device, as /sys/dev/block and mountinfo write it, from the `rdev` (or `dev`) of a stat.
 * The kernel's 64-bit dev_t: minor in bits 0-7 and 20-31, major in bits 8-19 and from 32 (bits/sysmacros.h).
 */
export function deviceNumberOf(dev: bigint): string {
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn)
  const minor = (dev & 0xffn) | ((dev >> 12n) & 0xffffff00n)
  return `${major}:${minor}`
}
