import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { DegradedCode } from '../../src/domain/ledger.ts'
import type { Range } from '../../src/domain/range.ts'
import { missProbability } from '../../src/mover/witnesses.ts'
import { dirtyBitmapContext, dirtyRanges } from '../../src/nbd/dirty-bitmap.ts'
import { MemoryStore } from '../../src/stores/memory-store.ts'
import { readBytes } from '../support/image-bytes.ts'
import { backUpInThread, readBack, testRepository, TEST_CHUNK_SIZE } from '../support/in-thread-backup.ts'
import { startQemuNbd } from '../support/nbd-server.ts'
import { openNbd } from '../support/open-nbd.ts'
import { runTool } from '../support/run-tool.ts'
import { sampleImage } from '../support/sample-image.ts'
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.ts'

const SEED_COUNT = 200
const SIGMAS = 4
const CHUNK_COUNT = 64
const LISTED = [5, 6, 20]
const signal = new AbortController().signal

function write(disk: string, places: readonly number[]): void {
  const commands = places.flatMap((place) => [
    '-c',
    `write -P 99 ${place * TEST_CHUNK_SIZE} ${TEST_CHUNK_SIZE}`,
  ])
  runTool('qemu-io', ['-f', 'qcow2', ...commands, disk])
}

/** A disk that held `before`; then `lost` was written behind the back of a bitmap, which tells of `LISTED` alone. */
async function changedDisk(
  folder: TemporaryFolder,
  { before, lost }: { readonly before: Uint8Array; readonly lost: readonly number[] },
): Promise<{ readonly bytes: Uint8Array; readonly changes: readonly Range[] }> {
  const disk = folder.join('disk.qcow2')
  writeFileSync(folder.join('before.raw'), before)
  runTool('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', folder.join('before.raw'), disk])
  write(disk, lost)
  runTool('qemu-img', ['bitmap', '--add', '-g', `${TEST_CHUNK_SIZE}`, disk, 'late'])
  write(disk, LISTED)
  await using server = await startQemuNbd(folder, ['--format=qcow2', '--read-only', '--bitmap=late', disk])
  await using image = await openNbd(server.uri(), { contexts: [dirtyBitmapContext('late')] })
  const changes: Range[] = []
  for await (const batch of dirtyRanges(image, 'late')(signal)) changes.push(...batch)
  return { bytes: await readBytes(image), changes }
}

for (const { witnessCount, lost } of [
  { witnessCount: 12, lost: [40] },
  { witnessCount: 6, lost: [30, 31, 50] },
  { witnessCount: 2, lost: [0, 63] },
]) {
  test(`a bitmap that missed ${lost.length} chunks is found out by ${witnessCount} witnesses as often as the ledger says`, async () => {
    using folder = temporaryFolder()
    const store = new MemoryStore()
    const image = sampleImage(1, CHUNK_COUNT * TEST_CHUNK_SIZE)
    const base = await backUpInThread(testRepository(store), { image, seed: 1 })
    const changed = await changedDisk(folder, { before: image.bytes, lost })
    const candidateCount = CHUNK_COUNT - LISTED.length
    let foundCount = 0
    for (let seed = 1000; seed < 1000 + SEED_COUNT; seed += 1) {
      const copy = new MemoryStore()
      for (const [name, bytes] of store.objects) copy.objects.set(name, bytes)
      const repository = testRepository(copy)
      const stored = await backUpInThread(repository, { image: changed, base, seed, witnessCount })
      assert.equal(stored.point.objects[0]?.ledger.witnesses?.candidateCount, candidateCount)
      const codes = stored.point.ledger.degraded.map((one) => one.code)
      if (codes.length === 0) continue
      foundCount += 1
      assert.deepEqual(codes, [DegradedCode.ChangeListRefuted])
      assert.deepEqual(Buffer.from(await readBack(repository, stored)), Buffer.from(changed.bytes))
    }
    const expected = 1 - missProbability({ candidateCount, witnessCount, lostCount: lost.length })
    const sigma = Math.sqrt(SEED_COUNT * expected * (1 - expected))
    const distance = Math.abs(foundCount - SEED_COUNT * expected)
    assert.ok(distance <= SIGMAS * sigma, `found ${foundCount} of ${SEED_COUNT}, expected share ${expected}`)
  })
}
