import { closeSync, ftruncateSync, openSync, readFileSync } from 'node:fs'

import { loopDevice } from './loop-device.ts'
import { runTool } from './run-tool.ts'
import { temporaryFolder } from './temporary-folder.ts'

export type DiskOptions = {
  readonly sizeBytes: number
  readonly sectorSizeBytes: 512 | 4096
  /** What `sfdisk` reads: see its manual, section INPUT FORMATS. */
  readonly script: string
}

/** A partition as `sfdisk --json` says it; `number` is the end of its node. */
export type SfdiskPartition = {
  readonly number: number
  readonly start: number
  readonly size: number
  readonly type: string
  readonly uuid?: string
  readonly name?: string
  readonly attrs?: string
  readonly bootable?: boolean
}

export type PartitionedDisk = {
  readonly bytes: Uint8Array
  readonly id: string
  readonly partitions: readonly SfdiskPartition[]
}

/**
 * The bytes of a disk that `sfdisk` partitioned, and what it says of them. Sectors of 4096 need
 * `needsLoopDevices()`: for a file `sfdisk` takes 512.
 */
export function partitionedDisk({ sizeBytes, sectorSizeBytes, script }: DiskOptions): PartitionedDisk {
  using folder = temporaryFolder()
  const path = folder.join('disk')
  const file = openSync(path, 'w')
  ftruncateSync(file, sizeBytes)
  closeSync(file)
  const view = sectorSizeBytes === 512 ? partition(path, script) : partitionOnDevice(path, script)
  return { bytes: new Uint8Array(readFileSync(path)), ...view }
}

function partitionOnDevice(path: string, script: string): Omit<PartitionedDisk, 'bytes'> {
  using device = loopDevice(path, { sectorSizeBytes: 4096 })
  return partition(device.path, script)
}

function partition(path: string, script: string): Omit<PartitionedDisk, 'bytes'> {
  runTool('sfdisk', ['--quiet', '--no-reread', '--no-tell-kernel', path], { input: script })
  return sfdiskView(path)
}

/** What `sfdisk` says of the disk, a file or a device. */
export function sfdiskView(path: string): Omit<PartitionedDisk, 'bytes'> {
  const output = runTool('sfdisk', ['--json', path])
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the tool prints
  const { partitiontable } = JSON.parse(output) as {
    partitiontable: { id: string; partitions?: readonly (SfdiskPartition & { node: string })[] }
  }
  const partitions = (partitiontable.partitions ?? []).map(({ node, ...entry }) => ({
    ...entry,
    // Of a device whose name ends with a digit the number comes after a p.
    number: Number(node.slice(path.length).replace('p', '')),
  }))
  return { id: partitiontable.id, partitions }
}
