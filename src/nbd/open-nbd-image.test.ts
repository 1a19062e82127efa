import assert from 'node:assert/strict'
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import { test } from 'node:test'

import { mixedBytes } from '../../test/support/mixed-bytes.ts'
import { startNbdkit, startQemuNbd, type NbdServer } from '../../test/support/nbd-server.ts'
import { openNbd } from '../../test/support/open-nbd.ts'
import { runTool } from '../../test/support/run-tool.ts'
import { temporaryFolder, type TemporaryFolder } from '../../test/support/temporary-folder.ts'
import type { Extent } from '../domain/extent.ts'
import type { FrozenImage } from '../domain/frozen-image.ts'

const MIB = 1024 * 1024
const SIZE = 64 * MIB
const signal = new AbortController().signal

/** Data at 1 MiB, in the middle and at the very end; the rest are holes. */
function sparseFile(folder: TemporaryFolder): string {
  const path = folder.join('disk.raw')
  const file = openSync(path, 'w')
  ftruncateSync(file, SIZE)
  for (const [index, offset] of [MIB, 20 * MIB, SIZE - 3 * MIB].entries()) {
    writeSync(file, mixedBytes(`part ${index}`, 3 * MIB), 0, 3 * MIB, offset)
  }
  closeSync(file)
  return path
}

async function allExtents(image: FrozenImage, offset = 0, length = image.sizeBytes): Promise<Extent[]> {
  const extents: Extent[] = []
  for await (const batch of image.extents({ offset, length }, signal)) extents.push(...batch)
  return extents
}

/** The map as the reference client prints it. */
function mapByNbdinfo(server: NbdServer): { offset: number; length: number; kind: string }[] {
  const parsed: unknown = JSON.parse(runTool('nbdinfo', ['--map', '--json', server.uri()]))
  assert(Array.isArray(parsed))
  return parsed.map(({ offset, length, type }) => ({
    offset,
    length,
    kind: (Number(type) & 2) === 0 ? 'data' : 'zero',
  }))
}

const servers: readonly [string, (folder: TemporaryFolder, path: string) => Promise<NbdServer>][] = [
  [
    'qemu-nbd, raw',
    (folder, path) => startQemuNbd(folder, ['--format=raw', '--read-only', '--shared=8', path]),
  ],
  [
    'qemu-nbd, qcow2',
    (folder, path) => {
      runTool('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', path, folder.join('disk.qcow2')])
      return startQemuNbd(folder, ['--format=qcow2', '--read-only', '--shared=8', folder.join('disk.qcow2')])
    },
  ],
  ['nbdkit', (folder, path) => startNbdkit(folder, ['file', path])],
  ['nbdkit without extents', (folder, path) => startNbdkit(folder, ['--filter=noextents', 'file', path])],
  ['nbdkit without structured replies', (folder, path) => startNbdkit(folder, ['--no-sr', 'file', path])],
  [
    'nbdkit with blocks of 4096 bytes',
    (folder, path) =>
      startNbdkit(folder, [
        '--filter=blocksize-policy',
        'file',
        path,
        'blocksize-minimum=4096',
        'blocksize-preferred=4096',
        'blocksize-maximum=1M',
        'blocksize-error-policy=error',
      ]),
  ],
  [
    'nbdkit with small blocks',
    (folder, path) => startNbdkit(folder, ['--filter=blocksize', 'file', path, 'maxlen=64k', 'maxdata=64k']),
  ],
]

for (const [name, start] of servers) {
  test(`openNbdImage() reads and maps what ${name} serves`, async () => {
    using folder = temporaryFolder()
    const path = sparseFile(folder)
    const content = readFileSync(path)
    await using server = await start(folder, path)
    await using image = await openNbd(server.uri())
    assert.equal(image.sizeBytes, SIZE)

    const whole = new Uint8Array(SIZE)
    await Promise.all(
      Array.from({ length: 16 }, (_, i) =>
        image.readInto(whole.subarray(i * 4 * MIB, (i + 1) * 4 * MIB), i * 4 * MIB),
      ),
    )
    assert.equal(Buffer.compare(whole, content), 0)
    for (const [offset, length] of [
      [MIB - 1, 3],
      [SIZE - 5, 5],
      [20 * MIB - 700, 2 * MIB + 1001],
    ] as const) {
      const piece = new Uint8Array(length)
      await image.readInto(piece, offset)
      assert.equal(Buffer.compare(piece, content.subarray(offset, offset + length)), 0, `${offset}`)
    }

    const found = (await allExtents(image)).map(({ offset, length, kind }) => ({ offset, length, kind }))
    const expected = image.hasMap ? mapByNbdinfo(server) : [{ offset: 0, length: SIZE, kind: 'data' }]
    assert.deepEqual(found, joined(expected))
    const part = await allExtents(image, MIB + 7, 30 * MIB)
    assert.equal(part[0]?.offset, MIB + 7)
    assert.equal(
      part.reduce((sum, { length }) => sum + length, 0),
      30 * MIB,
    )
  })
}

/** Neighbours of one kind as one: a server may describe one extent in pieces. */
function joined(
  extents: readonly { offset: number; length: number; kind: string }[],
): { offset: number; length: number; kind: string }[] {
  const out: { offset: number; length: number; kind: string }[] = []
  for (const extent of extents) {
    const last = out.at(-1)
    if (last?.kind === extent.kind) last.length += extent.length
    else out.push({ ...extent })
  }
  return out
}
