import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'

import {
  imageConformance,
  type ConformingSource,
  type FrozenRound,
} from '../../src/capture/provider/image-conformance.ts'
import { dirtyBitmapContext, dirtyRanges } from '../../src/nbd/dirty-bitmap.ts'
import type { NbdImage } from '../../src/nbd/open-nbd-image.ts'
import { fleecedDisk } from '../support/fleeced-disk.ts'
import { startGuestWriter } from '../support/guest-writer.ts'
import { readMapped } from '../support/image-bytes.ts'
import { openNbd } from '../support/open-nbd.ts'
import { runTool } from '../support/run-tool.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const SIZE = 16 * 1024 * 1024

/**
 * A disk that QEMU freezes under its guest. The base is the bitmap that began with the round before; after a round that is not
 * kept there is none, and the next one begins anew.
 */
async function openSource(): Promise<ConformingSource> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(temporaryFolder())
  const disk = stack.use(await fleecedDisk(folder, `${SIZE}`))
  const opened = stack.move()
  let base: string | null = null
  let count = 0
  return {
    startWriter: (seed) => Promise.resolve(startGuestWriter(disk.live, { seed, sizeBytes: SIZE })),
    async freeze() {
      const old = base
      count += 1
      const next = `since-${count}`
      await disk.freeze({ old, next })
      const image = await openNbd(disk.frozen, {
        contexts: old === null ? [] : [dirtyBitmapContext(old)],
        connectionsMax: 2,
      })
      base = null
      return {
        ...frozenRound(image, { old, copy: folder.join('truth.raw') }),
        keep() {
          base = next
          return Promise.resolve()
        },
        async [Symbol.asyncDispose]() {
          await image[Symbol.asyncDispose]()
          await disk.release(old)
          if (base === null) await disk.removeBitmap(next)
        },
      }
    },
    async releaseBase() {
      if (base !== null) await disk.removeBitmap(base)
      base = null
    },
    leftovers: () => disk.leftovers(),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

/** What lies where the map says is read from the export itself, which is the only device of its map. */
function frozenRound(
  image: NbdImage,
  { old, copy }: { readonly old: string | null; readonly copy: string },
): Pick<FrozenRound, 'image' | 'readRaw' | 'truth' | 'changes'> {
  return {
    image,
    readRaw: (signal) =>
      readMapped(
        {
          image,
          async readDevice(device, offset, target) {
            assert.equal(device, 0)
            await image.readInto(target, offset)
          },
          identify: () => Promise.resolve([]),
        },
        signal,
      ),
    truth() {
      runTool('nbdcopy', [image.uri, copy])
      return Promise.resolve(readFileSync(copy))
    },
    changes(signal) {
      assert.ok(old !== null)
      const ranges = dirtyRanges(image, old)
      return Promise.resolve(() => ranges(signal))
    },
  }
}

imageConformance('nbd', openSource, { skip: false, roundCount: 20, mapsZeros: true })
