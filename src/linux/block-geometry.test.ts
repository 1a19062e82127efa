import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { constants } from 'node:fs'
import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { blockGeometry, probeSize } from './block-geometry.ts'
import { deviceNumberOf } from './device-number.ts'
import { loopDevice } from '../../test/support/loop-device.ts'
import { needsLoopDevices } from '../../test/support/requirements.ts'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'

const SIZE = 5 * 1024 * 1024
const skip = needsLoopDevices()

for (const sectorSizeBytes of [512, 4096]) {
  test(
    `blockGeometry() tells size and ${sectorSizeBytes}-byte sectors, however it asks`,
    { skip },
    async () => {
      using folder = temporaryFolder()
      const path = join(folder.path, 'disk.img')
      await writeFile(path, new Uint8Array(SIZE))
      using device = loopDevice(path, { sectorSizeBytes })
      await using handle = await open(device.path, constants.O_RDONLY | constants.O_DIRECT)
      const { rdev } = await handle.stat({ bigint: true })
      const expected = { sizeBytes: SIZE, sectorSizeBytes }
      assert.deepEqual(await blockGeometry(handle.fd, deviceNumberOf(rdev)), expected)
      assert.equal(probeSize(handle.fd), SIZE)

      const script = `
      const { openLocalSource } = await import(${JSON.stringify(new URL('local-source.ts', import.meta.url).href)})
      await using source = await openLocalSource(${JSON.stringify(device.path)})
      const { sizeBytes, sectorSizeBytes } = source
      process.stdout.write(JSON.stringify({ sizeBytes, sectorSizeBytes }))
    `
      const withoutNative = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
        env: { ...process.env, ICECORE_NATIVE: 'off' },
        encoding: 'utf8',
      })
      assert.deepEqual(JSON.parse(withoutNative), expected)
    },
  )
}
