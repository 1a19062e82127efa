import type { LabHost } from './lab-host.ts'

const SECTOR_BYTES = 512
/** What the kernel's clock ticks count: 100 a second, on every architecture that programs see. */
const TICKS_PER_SECOND = 100

/** Bytes that a host's disks were asked for since it started. */
export type DiskBytes = { readonly read: number; readonly written: number }

/** Of whole disks, by `/sys/block/NAME/stat`, added up. */
export async function diskBytes(host: LabHost, paths: readonly string[]): Promise<DiskBytes> {
  const files = paths.map((path) => `/sys/block/${path.slice('/dev/'.length)}/stat`)
  const lines = (await host.output(['cat', ...files])).trim().split('\n')
  const counts = lines.map((line) => line.trim().split(/\s+/).map(Number))
  const sum = (column: number): number =>
    counts.reduce((total, count) => total + (count[column] ?? Number.NaN), 0) * SECTOR_BYTES
  return { read: sum(2), written: sum(6) }
}

/** Seconds of processor that a group of processes used so far, with those of its processes that have ended. */
export async function cpuSeconds(host: LabHost, processGroup: number): Promise<number> {
  const text = await host.output(['sh', '-c', 'cat /proc/[0-9]*/stat 2>/dev/null || true'])
  let ticks = 0
  for (const line of text.trim().split('\n')) {
    // After the name in parentheses: state, parent, process group, …, utime, stime, and those of children that ended.
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' ')
    if (Number(fields[2]) !== processGroup) continue
    for (const field of fields.slice(11, 15)) ticks += Number(field)
  }
  return ticks / TICKS_PER_SECOND
}
