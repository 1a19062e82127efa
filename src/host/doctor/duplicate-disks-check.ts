import { type Finding, listed, ok, orWell, wrong } from './finding.ts'
import { type DiskPair, readThrough } from './seen-disk.ts'

/** Several ways to one disk, and no map over them: which of them to read nobody can say. */
export function checkDuplicateDisks(pairs: readonly DiskPair[]): readonly Finding[] {
  const name = 'disks-single'
  const troubles = pairs
    .filter((pair) => pair.found.length > 1 && readThrough(pair) === null)
    .map(({ wanted, found }) =>
      wrong(name, {
        sentence: `${listed(found.map(({ path }) => path))} all say that they are ${wanted.name}: what is meant cannot be told`,
        advice:
          'Have multipathd join the paths of one disk (`mpathconf --enable` or /etc/multipath.conf); of a clone, give its LUN a name of its own',
        stops: 'san',
      }),
    )
  return orWell(troubles, ok(name, 'Each of these disks is seen here once, or by one multipath map'))
}
