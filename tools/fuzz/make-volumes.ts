import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import {
  DISK_BYTES,
  EXTENT_BYTES,
  extentOffset,
  groupDisks,
  putOnDisk,
} from '../../test/support/group-disks.ts'
import { EVERY_KIND, linear, whole, type VolumeDraft } from '../../test/support/lvm-text.ts'
import { runTool } from '../../test/support/run-tool.ts'
import { storeBytes } from '../../test/support/snapshot-store.ts'
import {
  mappingValue,
  ThinMetadataFile,
  writeThinMetadata,
  type ThinRun,
} from '../../test/support/thin-metadata.ts'
import type { BaseDraft } from './base.ts'
import type { VolumePlace } from './structure.ts'
import { fillTree } from './fill-tree.ts'
import { baseOf, makeFile } from './make-file-systems.ts'

const MIB = 1024 * 1024
const CHUNK = 64 * 1024

function run(begin: number, data: number, length: number): ThinRun {
  return { begin, data, length }
}

export function makeThinImages(folder: string): BaseDraft[] {
  const path = join(folder, 'thin')
  const scattered = Array.from({ length: 900 }, (_, index) => run(3 * index, 5000 + 2 * index, 1))
  const devices = new Map([
    [1, [run(0, 0, 500), run(1000, 600, 300)]],
    [2, scattered],
    [7, []],
  ])
  writeThinMetadata(path, { dataBlockCount: 10_000, fileBytes: 2 * MIB, devices })
  const file = new ThinMetadataFile(path)
  try {
    file.addSnapshot(2, 3, [{ key: 30, value: mappingValue(9000) }])
    file.holdSnapshot()
    file.addSnapshot(1, 4, [{ key: 10, value: null }])
  } finally {
    file[Symbol.dispose]()
  }
  return [baseOf('thin pool', path, 'dm-thin')]
}

export function makeSnapshotImages(folder: string): BaseDraft[] {
  const path = join(folder, 'store')
  const originChunks = Array.from({ length: 600 }, (_, index) => (index * 7) % 2000)
  writeFileSync(path, storeBytes({ originChunks }))
  return [baseOf('exception store', path, 'dm-snapshot')]
}

const GPT_SCRIPT = [
  'label: gpt',
  'first-lba: 34',
  'start=64, size=128, name=one',
  'start=192, size=256',
  'start=448, size=64, type=E6D6D379-F507-44C2-A23C-238F2A3DF928',
]
const MBR_SCRIPT = [
  'label: dos',
  'start=64, size=128',
  'start=192, size=128',
  'start=320, size=600, type=5',
  'start=352, size=64',
  'start=448, size=128',
  'start=640, size=32',
]

export function makeTables(folder: string, kind: 'gpt' | 'mbr'): BaseDraft[] {
  const path = join(folder, kind)
  // Small: what is in each partition is looked for in many places.
  makeFile(path, MIB / 2)
  const lines = { gpt: GPT_SCRIPT, mbr: MBR_SCRIPT }[kind]
  const input = `${lines.join('\n')}\n`
  runTool('sfdisk', ['--quiet', '--no-reread', '--no-tell-kernel', path], { input })
  return [baseOf(kind, path, kind)]
}

export function makeGroups(folder: string): BaseDraft[] {
  const disks = groupDisks({ diskCount: 2, volumes: EVERY_KIND })
  return [writeGroup(folder, { name: 'volume group of every kind', disks, parts: [] })]
}

const HIDDEN = '"READ", "WRITE"'
const STACK: readonly VolumeDraft[] = [
  { name: 'lin', segments: [linear(0, 16, '"pv0", 0')] },
  { name: 'snap', segments: [linear(0, 4, '"pv0", 16')] },
  {
    name: 'snapshot0',
    status: HIDDEN,
    segments: [whole(16, 'snapshot', 'chunk_size = 8 origin = "lin" cow_store = "snap"')],
  },
  {
    name: 'pool',
    segments: [
      whole(
        24,
        'thin-pool',
        'metadata = "pool_tmeta" pool = "pool_tdata" transaction_id = 7 chunk_size = 128 ' +
          'discards = "passdown" zero_new_blocks = 1',
      ),
    ],
  },
  { name: 'pool_tmeta', status: HIDDEN, segments: [linear(0, 2, '"pv1", 0')] },
  { name: 'pool_tdata', status: HIDDEN, segments: [linear(0, 24, '"pv1", 2')] },
  { name: 'thin1', segments: [whole(16, 'thin', 'thin_pool = "pool" transaction_id = 6 device_id = 1')] },
]

/** `count` extents of a disk of the stack; the first disk lies in a partition. */
function place(image: number, extent: number, count: number): VolumePlace {
  const offset = extentOffset(extent) + (image === 0 ? MIB : 0)
  return { image, offset, sizeBytes: count * EXTENT_BYTES }
}

/** A disk with a table, in it and on a second disk a group, and in that file systems, a snapshot and a thin pool. */
export function makeStack(folder: string): BaseDraft[] {
  const tree = join(folder, 'stack-tree')
  mkdirSync(tree)
  fillTree(tree)
  const fileSystem = join(folder, 'stack-ext4')
  makeFile(fileSystem, 16 * EXTENT_BYTES)
  runTool('mke2fs', ['-q', '-F', '-t', 'ext4', '-b', '1024', '-J', 'size=1', '-d', tree, fileSystem])
  const metadata = join(folder, 'stack-thin')
  const blockCount = (16 * EXTENT_BYTES) / CHUNK
  const devices = new Map([[1, [{ begin: 0, data: 0, length: blockCount }]]])
  writeThinMetadata(metadata, {
    dataBlockCount: (24 * EXTENT_BYTES) / CHUNK,
    fileBytes: 2 * EXTENT_BYTES,
    devices,
  })
  const disks = groupDisks({ diskCount: 2, volumes: STACK })
  const [first, second] = disks
  if (first === undefined || second === undefined) throw new RangeError('there are two disks')
  putOnDisk(first, 0, fileSystem)
  putOnDisk(first, 16, storeBytes({ originChunks: [5, 6, 100, 900] }))
  putOnDisk(second, 0, metadata)
  putOnDisk(second, 2, fileSystem)
  return [
    writeGroup(folder, {
      name: 'stack',
      disks,
      parts: [
        { format: 'ext4', ...place(0, 0, 16) },
        { format: 'dm-snapshot', ...place(0, 16, 4) },
        { format: 'dm-thin', ...place(1, 0, 2) },
        { format: 'ext4', ...place(1, 2, 16) },
      ],
    }),
  ]
}

/** The first disk lies in a partition when there is something on the disks. */
function writeGroup(
  folder: string,
  { name, disks, parts }: Pick<BaseDraft, 'name' | 'parts'> & { readonly disks: readonly Uint8Array[] },
): BaseDraft {
  const isInTable = parts.length > 0
  const files = disks.map((bytes, index) => {
    const path = join(folder, `${name} ${index}`)
    const start = isInTable && index === 0 ? MIB : 0
    const content = new Uint8Array(start + bytes.byteLength + start)
    content.set(bytes, start)
    writeFileSync(path, content)
    if (start > 0) partition(path)
    return { path, sizeBytes: statSync(path).size }
  })
  const groups = disks.map((_, image) => {
    const offset = isInTable && image === 0 ? MIB : 0
    return { format: 'lvm2', image, offset, sizeBytes: DISK_BYTES } as const
  })
  const table = { format: 'gpt', image: 0, offset: 0, sizeBytes: files[0]?.sizeBytes ?? 0 } as const
  return { name, files, parts: [...(isInTable ? [table] : []), ...groups, ...parts] }
}

function partition(path: string): void {
  // The tool would wipe what it finds.
  const before = readFileSync(path).subarray(MIB, MIB + DISK_BYTES)
  const script = `label: gpt\nstart=2048, size=${DISK_BYTES / 512}, type=E6D6D379-F507-44C2-A23C-238F2A3DF928\n`
  runTool(
    'sfdisk',
    ['--quiet', '--no-reread', '--no-tell-kernel', '--wipe=never', '--wipe-partitions=never', path],
    {
      input: script,
    },
  )
  const after = readFileSync(path).subarray(MIB, MIB + DISK_BYTES)
  if (!before.equals(after)) throw new RangeError('the table changed what is in the partition')
}
