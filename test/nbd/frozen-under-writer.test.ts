import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import { dirtyBitmapContext, dirtyRanges } from '../../src/nbd/dirty-bitmap.ts'
import type { NbdImage } from '../../src/nbd/open-nbd-image.ts'
import { fleecedDisk } from '../support/fleeced-disk.ts'
import { startGuestWriter } from '../support/guest-writer.ts'
import { assertCovers, readBytes } from '../support/image-bytes.ts'
import { openNbd } from '../support/open-nbd.ts'
import { runTool } from '../support/run-tool.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const SIZE = 16 * 1024 * 1024
const ROUNDS = 20
const signal = new AbortController().signal

/** What the map calls zeros is zeros in the bytes. How many bytes they are. */
async function assertMapHolds(image: NbdImage, bytes: Buffer, where: string): Promise<number> {
  let zeroBytes = 0
  for await (const batch of image.extents({ offset: 0, length: SIZE }, signal)) {
    for (const { kind, offset, length } of batch) {
      if (kind !== 'zero') continue
      zeroBytes += length
      assert.ok(
        bytes.subarray(offset, offset + length).every((byte) => byte === 0),
        `${where}: no zeros at ${offset}+${length}`,
      )
    }
  }
  return zeroBytes
}

// What providerConformance() asks of providers, as far as it is icecore's to promise of an image that QEMU holds.
test(`${ROUNDS} rounds under a guest that writes: the export stands still, its map and its bitmap are true`, async (context) => {
  using folder = temporaryFolder()
  await using disk = await fleecedDisk(folder, `${SIZE}`)
  let before: Buffer | null = null
  let changedBytes = 0
  let zeroBytes = 0
  for (let seed = 1; seed <= ROUNDS; seed += 1) {
    const where = `seed ${seed}`
    const old = seed === 1 ? null : `since-${seed - 1}`
    await using guest = startGuestWriter(disk.live, { seed, sizeBytes: SIZE })
    await guest.wrote(30)
    await disk.freeze({ old, next: `since-${seed}` })
    {
      const contexts = old === null ? [] : [dirtyBitmapContext(old)]
      await using image = await openNbd(disk.frozen, { contexts, connectionsMax: 2 })
      const bytes = await readBytes(image)
      await guest.wrote(30)
      zeroBytes += await assertMapHolds(image, bytes, where)
      runTool('nbdcopy', [disk.frozen, folder.join('truth.raw')])
      assert.ok(bytes.equals(readFileSync(folder.join('truth.raw'))), `${where}: others read other bytes`)
      if (before !== null && old !== null) {
        const ranges = dirtyRanges(image, old)(signal)
        changedBytes += await assertCovers(ranges, { before, after: bytes, where })
      }
      await guest.wrote(10)
      assert.ok(bytes.equals(await readBytes(image)), `${where}: the frozen image changed`)
      before = bytes
    }
    await disk.release(old)
  }
  context.diagnostic(`${changedBytes} bytes changed, ${zeroBytes} were mapped as zeros`)
  assert.ok(changedBytes > 0 && zeroBytes > 0)
})
