import { type Finding, ok, orWell, wrong } from './finding.ts'
import { type DiskPair, readDisks } from './seen-disk.ts'

/** A file system mounted on two hosts at once is soon damaged; what is built on the disk here may also write to it. */
export function checkDiskUsers(pairs: readonly DiskPair[]): readonly Finding[] {
  const name = 'disks-unused'
  const troubles = readDisks(pairs).flatMap(({ disk }): Finding[] => {
    if (disk.use === null) return []
    return [
      wrong(name, {
        sentence: `${disk.path} is a disk of the agent's host and in use here: ${disk.use}`,
        advice:
          'Unmount it here and stop what is built on it, at once: two hosts that write to one disk destroy it',
        stops: 'nothing',
      }),
    ]
  })
  return orWell(troubles, ok(name, 'Nothing on this host uses them'))
}
