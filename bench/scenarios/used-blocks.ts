import type { Bench, Row, RunRecord, Scenario } from '../bench.ts'
import { median } from '../statistics.ts'
import { FULL_VOLUME_BYTES, fullExt4, fullXfs } from '../volumes/full-volume.ts'
import { keptImage } from '../volumes/kept-image.ts'
import { measureMap, type MapResult } from '../volumes/measure-map.ts'
import { canMakeXfs } from '../volumes/mounted.ts'

const SCENARIO = 'used-blocks'
/** Of the volume; the making of the images leaves a little more free. */
const FREE_SHARE_MAX = 0.2

export const USED_BLOCKS: Scenario = {
  name: SCENARIO,
  summary: 'which blocks are in use on a full ext4 and a full XFS of 1 TiB; peak memory',
  async run(bench) {
    const ext4 = await measureUsedBlocks(bench, 'ext4', fullExt4)
    const xfs = canMakeXfs(bench) ? await measureUsedBlocks(bench, 'xfs', fullXfs) : rowsOf('xfs', [])
    return [...ext4, ...xfs]
  },
}

async function measureUsedBlocks(
  bench: Bench,
  format: string,
  make: (image: string) => void,
): Promise<Row[]> {
  const image = keptImage(bench, { name: `full-${format}.img`, sizeBytes: FULL_VOLUME_BYTES, make })
  const program = `icecore map, ${format}`
  return rowsOf(format, await measureMap(bench, { scenario: SCENARIO, program, image, verify }))
}

function verify({ volumes: [volume] }: MapResult): void {
  const reason = volume?.content.reason ?? null
  if (volume === undefined || reason !== null) throw new Error(`Cannot measure: nothing is proven: ${reason}`)
  const { freeBytes } = volume
  if (freeBytes > 0 && freeBytes < FREE_SHARE_MAX * FULL_VOLUME_BYTES) return
  throw new Error(`Cannot measure: ${freeBytes} bytes are free on a volume that was made nearly full`)
}

function rowsOf(format: string, runs: readonly RunRecord[]): Row[] {
  const row = { work: `used blocks of a full ${format} of 1 TiB`, against: '–' }
  const wall = runs.length === 0 ? {} : { measured: median(runs.map((run) => run.wallMs)) / 1000 }
  const peak = runs.length === 0 ? {} : { measured: Math.max(...runs.map((run) => run.peakMemoryBytes)) }
  return [
    { ...row, quantity: 'wall time of `icecore map`', asked: 'under 10 s', unit: 's', ...wall },
    { ...row, quantity: 'largest resident size', asked: 'at most 200 MB', unit: 'bytes', ...peak },
  ]
}
