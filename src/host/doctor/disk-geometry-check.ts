import { type Finding, ok, orWell, wrong } from './finding.ts'
import { type DiskPair, readDisks } from './seen-disk.ts'

/** One disk has one size; one that differs is another disk, or was resized and not looked at again. */
export function checkDiskGeometry(pairs: readonly DiskPair[]): readonly Finding[] {
  const name = 'disks-alike'
  const troubles = readDisks(pairs).flatMap(({ wanted, disk }): Finding[] => {
    const here = disk.identity
    if (here.sizeBytes !== wanted.sizeBytes) {
      const sentence = `${disk.path} holds ${here.sizeBytes} bytes here and ${wanted.sizeBytes} on the agent's host`
      const advice = `Rescan the one that is behind: echo 1 > /sys/class/block/${disk.path.slice('/dev/'.length)}/device/rescan; of a multipath map, then \`multipathd resize map\``
      return [wrong(name, { sentence, advice, stops: 'san' })]
    }
    if (here.sectorSizeBytes === wanted.sectorSizeBytes) return []
    const sentence = `${disk.path} has sectors of ${here.sectorSizeBytes} bytes here and of ${wanted.sectorSizeBytes} on the agent's host`
    return [
      wrong(name, { sentence, advice: 'Export the LUN to both hosts with one sector size', stops: 'san' }),
    ]
  })
  return orWell(troubles, ok(name, 'Sizes and sector sizes are the same on both hosts'))
}
