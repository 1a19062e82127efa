import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { deviceNumberOf } from './device-number.ts'
import { blockFolderOf, readSysfs } from './sysfs.ts'

/** What disks did since the host started. */
export type DiskStatistics = {
  readonly reads: number
  /** The time that all of them took together. */
  readonly readMs: number
  readonly writes: number
  readonly writeMs: number
  readonly inFlight: number
}

/** Sums over disks, `major:minor`; null when the system counts none of them. */
export async function diskStatistics(deviceNumbers: readonly string[]): Promise<DiskStatistics | null> {
  const lines = await Promise.all(deviceNumbers.map(statisticsOf))
  const found = lines.filter((line) => line !== null)
  if (found.length === 0) return null
  const sum = (key: keyof DiskStatistics): number => found.reduce((total, line) => total + line[key], 0)
  return {
    reads: sum('reads'),
    readMs: sum('readMs'),
    writes: sum('writes'),
    writeMs: sum('writeMs'),
    inFlight: sum('inFlight'),
  }
}

/** The device that a file's file system lies on, or that a path to a device leads to. */
export async function deviceNumberAt(path: string): Promise<string> {
  const stats = await stat(path, { bigint: true })
  return deviceNumberOf(stats.isBlockDevice() ? stats.rdev : stats.dev)
}

async function statisticsOf(deviceNumber: string): Promise<DiskStatistics | null> {
  const folder = await blockFolderOf(deviceNumber)
  const line = folder === null ? null : await readSysfs(join(folder, 'stat'))
  return line === null ? null : parseDiskStatistics(line)
}

/** /sys/block/…/stat, as the kernel's Documentation/block/stat.rst has it. */
export function parseDiskStatistics(line: string): DiskStatistics | null {
  const numbers = line.trim().split(/\s+/).map(Number)
  const [reads, , , readMs, writes, , , writeMs, inFlight] = numbers
  if (reads === undefined || readMs === undefined || writes === undefined) return null
  if (writeMs === undefined || inFlight === undefined || numbers.some(Number.isNaN)) return null
  return { reads, readMs, writes, writeMs, inFlight }
}
