import { type Finding, ok, orWell, warning } from './finding.ts'
import { type DiskPair, readDisks } from './seen-disk.ts'

/** Only a restore over the SAN writes to the disks of another host. */
export function checkWriteProtection(pairs: readonly DiskPair[]): readonly Finding[] {
  const name = 'disks-write-protected'
  const troubles = readDisks(pairs).flatMap(({ disk }): Finding[] => {
    if (disk.isReadOnly) return []
    const sentence = `${disk.path} can be written from this host; backups only read it`
    return [
      warning(
        name,
        sentence,
        'Map the LUN read-only to this host, as long as nothing is restored over the SAN',
      ),
    ]
  })
  return orWell(troubles, ok(name, 'None of these disks can be written from this host'))
}
