import { type Finding, ok, orWell, wrong } from './finding.ts'
import { type DiskPair, readDisks } from './seen-disk.ts'

/** Whether this user can read the disks past the page cache. */
export function checkReadableDisks(pairs: readonly DiskPair[]): readonly Finding[] {
  const name = 'disks-readable'
  const troubles = readDisks(pairs).flatMap(({ disk }): Finding[] => {
    if (disk.readFailure === null) return []
    return [
      wrong(name, {
        sentence: `${disk.path} cannot be read directly: ${disk.readFailure}`,
        advice:
          'Run it as root or as a member of the group of the device; the kernel log (dmesg) says more of failed reads',
        stops: 'san',
      }),
    ]
  })
  return orWell(troubles, ok(name, 'The first and the last block of each can be read with direct I/O'))
}
