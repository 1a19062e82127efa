import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import * as v from 'valibot'

import { lvmDevices, needsLvm } from '../support/lvm-devices.ts'
import { mixedBytes } from '../support/mixed-bytes.ts'
import { runIcecore } from '../support/run-icecore.ts'
import { runTool } from '../support/run-tool.ts'
import { writeSampleFiles } from '../support/sample-files.ts'
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.ts'

const MIB = 1024 * 1024

const extentSchema = v.object({
  kind: v.picklist(['data', 'zero', 'inline']),
  offset: v.number(),
  length: v.number(),
  image: v.optional(v.number()),
  physicalOffset: v.optional(v.number()),
})
const mapSchema = v.object({
  images: v.array(v.object({ name: v.string(), sizeBytes: v.number() })),
  volumes: v.array(
    v.object({ name: v.string(), kind: v.string(), sizeBytes: v.number(), freeBytes: v.number() }),
  ),
  files: v.array(
    v.object({
      layers: v.array(v.string()),
      sizeBytes: v.number(),
      extentCount: v.number(),
      fragmentCount: v.number(),
      extents: v.array(extentSchema),
    }),
  ),
})
type MapJson = v.InferOutput<typeof mapSchema>

async function map(words: readonly string[]): Promise<MapJson> {
  const result = await runIcecore(['map', ...words, '--json'])
  assert.equal(result.exitCode, 0, result.stderr)
  return v.parse(mapSchema, result.json)
}

/** The content of a file, read from the disks at the places that the map names. */
function readAtExtents(found: MapJson, images: readonly string[]): Buffer {
  const [file] = found.files
  assert.ok(file !== undefined)
  const disks = images.map((path) => readFileSync(path))
  const content = Buffer.alloc(file.sizeBytes)
  let position = 0
  for (const { kind, offset, length, image, physicalOffset } of file.extents) {
    assert.equal(offset, position)
    position += length
    if (kind !== 'data') continue
    assert.ok(image !== undefined && physicalOffset !== undefined)
    disks[image]?.copy(content, offset, physicalOffset, physicalOffset + length)
  }
  assert.equal(position, file.sizeBytes)
  return content
}

function writeFiles(folder: TemporaryFolder): string {
  const files = folder.join('files')
  mkdirSync(files)
  writeSampleFiles(files)
  writeFileSync(`${files}/large`, mixedBytes('large', 10 * MIB))
  return files
}

test('map leads from a file over stripes to the bytes of two disks', { skip: needsLvm() }, async () => {
  using folder = temporaryFolder()
  const files = writeFiles(folder)
  const file = folder.join('ext4')
  writeFileSync(file, '')
  truncateSync(file, 64 * MIB)
  runTool('mke2fs', ['-q', '-F', '-t', 'ext4', '-b', '1024', '-d', files, file])
  using lvm = lvmDevices(folder, { sizesBytes: [80 * MIB, 80 * MIB] })
  for (const device of lvm.devices) lvm.lvm('pvcreate', device)
  lvm.lvm('vgcreate', 'vg0', ...lvm.devices)
  lvm.lvm('lvcreate', '-an', '-Zn', '-Wn', '-i', '2', '-I', '64k', '-L', '64m', '-n', 'home', 'vg0')
  // Whole extents of the volume go to the disks in turns of a stripe, from where LVM says that each begins.
  const starts = lvm.report('pvs', '-o', 'pe_start').map((row) => Number(row['pe_start']))
  const volume = readFileSync(file)
  const disks = lvm.images.map((path) => readFileSync(path))
  for (let stripe = 0; stripe * 65_536 < volume.byteLength; stripe += 1) {
    const at = (starts[stripe % 2] ?? 0) + Math.floor(stripe / 2) * 65_536
    volume.copy(disks[stripe % 2] ?? Buffer.alloc(0), at, stripe * 65_536, (stripe + 1) * 65_536)
  }
  for (const [index, path] of lvm.images.entries()) writeFileSync(path, disks[index] ?? '')
  const found = await map([...lvm.images, '--path', 'vg0/home:/large', '--extents', '1000000'])
  assert.deepEqual(found.files[0]?.layers, ['vg0/home', 'pv0.img + pv1.img'])
  assert.ok((found.files[0]?.extentCount ?? 0) >= 160)
  assert.ok(readAtExtents(found, lvm.images).equals(readFileSync(`${files}/large`)))
  const sparse = await map([...lvm.images, '--path', 'vg0/home:/var/sparse.img', '--extents', '1000000'])
  assert.ok(readAtExtents(sparse, lvm.images).equals(readFileSync(`${files}/var/sparse.img`)))
})

test('map draws what lies on a disk, and says what is not mapped', async () => {
  using folder = temporaryFolder()
  const disk = folder.join('disk')
  writeFileSync(disk, '')
  truncateSync(disk, 64 * MIB)
  const script = 'label: gpt\nstart=2048, size=16MiB, type=swap\nsize=32MiB, name=root\n'
  runTool('sfdisk', ['--quiet', disk], { input: script })
  const file = folder.join('ext4')
  writeFileSync(file, '')
  truncateSync(file, 32 * MIB)
  runTool('mke2fs', ['-q', '-F', '-t', 'ext4', '-L', 'system', '-d', writeFiles(folder), file])
  const swap = folder.join('swap')
  writeFileSync(swap, '')
  truncateSync(swap, 16 * MIB)
  runTool('mkswap', ['--quiet', swap])
  runTool('dd', [`if=${swap}`, `of=${disk}`, 'bs=1M', 'seek=1', 'conv=notrunc', 'status=none'])
  runTool('dd', [`if=${file}`, `of=${disk}`, 'bs=1M', 'seek=17', 'conv=notrunc', 'status=none'])
  const { stdout, exitCode } = await runIcecore(['map', disk, '--path', '/home/latest'])
  assert.equal(exitCode, 0)
  assert.match(stdout, /GUID partition table/)
  assert.match(stdout, /├─ p1 {2}16\.0 MiB {2}partition \(Linux swap\)\n│ +swap, all of it is data: /)
  assert.match(stdout, /└─ p2 {2}32\.0 MiB {2}partition "root" \(Linux file system\)\n +ext4 "system"/)
  assert.match(stdout, /[░▒▓█·]{48} [\d.]+ MiB in use, [\d.]+ MiB free/)
  assert.match(stdout, /\/home\/latest {2}9 B {2}symlink, inode \d+ of ext4 on p2/)
  const found = await map([disk, '--path', 'p2:/large', '--extents', '1000'])
  assert.ok(readAtExtents(found, [disk]).equals(mixedBytes('large', 10 * MIB)))
})

test('map refuses a path that is not there, and one on a volume that is none', async () => {
  using folder = temporaryFolder()
  const file = folder.join('ext4')
  writeFileSync(file, '')
  truncateSync(file, 8 * MIB)
  runTool('mke2fs', ['-q', '-F', '-t', 'ext4', file])
  const missing = await runIcecore(['map', file, '--path', '/nothing'])
  assert.equal(missing.exitCode, 2)
  assert.match(missing.stderr, /Cannot map "\/nothing": there is no such file/)
  const nowhere = await runIcecore(['map', file, '--path', 'p7:/nothing'])
  assert.equal(nowhere.exitCode, 4)
  assert.match(nowhere.stderr, /Cannot choose a file system: none lies on "p7"/)
})
