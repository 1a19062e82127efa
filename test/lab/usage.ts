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

/** Seconds of processor: of processes that run, and of those that they started and that have ended. */
export type CpuSeconds = { readonly own: number; readonly ended: number }

/** What a group of processes used so far. */
export async function cpuSeconds(host: LabHost, processGroup: number): Promise<CpuSeconds> {
  const text = await host.output(['sh', '-c', 'cat /proc/[0-9]*/stat 2>/dev/null || true'])
  let [own, ended] = [0, 0]
  for (const line of text.trim().split('\n')) {
    // After the name in parentheses: state, parent, process group, …, utime, stime, and those of children that ended.
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' ')
    if (Number(fields[2]) !== processGroup) continue
    own += Number(fields[11]) + Number(fields[12])
    ended += Number(fields[13]) + Number(fields[14])
  }
  return { own: own / TICKS_PER_SECOND, ended: ended / TICKS_PER_SECOND }
}
