import type { Bench, Row, Scenario } from '../bench.ts'
import { median } from '../statistics.ts'
import { FRAGMENT_COUNT, FRAGMENTED_FILE, fragmentedExt4, fragmentedXfs } from '../volumes/fragmented-file.ts'
import { keptImage } from '../volumes/kept-image.ts'
import { measureMap, type MapResult } from '../volumes/measure-map.ts'
import { canMakeXfs } from '../volumes/mounted.ts'

const SCENARIO = 'fragments'
const IMAGE_BYTES = 4 * 1024 ** 3
/** A few blocks may lie side by side by chance. */
const ENOUGH = 0.99

export const FRAGMENTS: Scenario = {
  name: SCENARIO,
  summary: '1.2 million fragments of one file mapped, on ext4 and on XFS',
  async run(bench) {
    const ext4 = await measureFragments(bench, 'ext4', fragmentedExt4)
    const xfs = canMakeXfs(bench) ? await measureFragments(bench, 'xfs', fragmentedXfs) : [rowOf('xfs')]
    return [...ext4, ...xfs]
  },
}

async function measureFragments(bench: Bench, format: string, make: (image: string) => void): Promise<Row[]> {
  const image = keptImage(bench, { name: `fragments-${format}.img`, sizeBytes: IMAGE_BYTES, make })
  const runs = await measureMap(bench, {
    scenario: SCENARIO,
    program: `icecore map, ${format}`,
    image,
    words: ['--path', FRAGMENTED_FILE],
    verify,
  })
  return [{ ...rowOf(format), measured: median(runs.map((run) => run.wallMs)) / 1000 }]
}

function verify({ files }: MapResult): void {
  const found = files[0]?.fragmentCount ?? 0
  if (found >= FRAGMENT_COUNT * ENOUGH) return
  throw new Error(`Cannot measure fragments: found ${found}, made about ${FRAGMENT_COUNT}`)
}

function rowOf(format: string): Row {
  return {
    work: `1.2 million fragments mapped, ${format}`,
    against: '–',
    quantity: 'wall time of `icecore map`',
    asked: 'under 5 s',
    unit: 's',
  }
}
