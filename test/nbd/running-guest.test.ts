import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import { fleecedDisk } from '../support/fleeced-disk.ts'
import { startGuestWriter } from '../support/guest-writer.ts'
import { nbdRepository } from '../support/nbd-repository.ts'
import { runTool } from '../support/run-tool.ts'

const SIZE = 64 * 1024 * 1024

/** Writes to the disk as a guest does. */
function write(live: string, commands: readonly string[]): void {
  runTool('qemu-io', ['-f', 'raw', ...commands.flatMap((command) => ['-c', command]), live])
}

test('backup of a disk whose guest goes on writing is of one moment, and so is the next one from the bitmap', async () => {
  using repository = await nbdRepository()
  const { folder } = repository
  await using disk = await fleecedDisk(folder, `${SIZE}`)
  const { live, frozen } = disk
  const asFrozen = folder.join('frozen.raw')
  const backup = ['backup', frozen, '--name', 'vm1']

  write(live, ['write -P 1 0 40M'])
  await disk.freeze({ old: null, next: 'since-1' })
  write(live, ['write -P 2 8M 1M', 'write -P 3 50M 64k'])
  runTool('nbdcopy', [frozen, asFrozen])
  assert.equal(readFileSync(asFrozen)[8 * 1024 * 1024], 1)
  {
    await using guest = startGuestWriter(live, { seed: 1, sizeBytes: SIZE })
    await guest.wrote(1)
    await repository.run(backup)
  }
  await repository.assertRestores(asFrozen)
  await disk.release(null)

  await disk.freeze({ old: 'since-1', next: 'since-2' })
  runTool('nbdcopy', [frozen, asFrozen])
  {
    await using guest = startGuestWriter(live, { seed: 2, sizeBytes: SIZE })
    await guest.wrote(1)
    const second = await repository.run([...backup, '--bitmap', 'since-1'])
    assert.deepEqual(second['done'], { mode: 'incremental', transport: 'nbd' })
  }
  await repository.assertRestores(asFrozen)
  await disk.release('since-1')
})
