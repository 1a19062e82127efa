import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { open, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { reopenTarget } from './reopen.ts'
import { loopDevice } from '../../test/support/loop-device.ts'
import { needsLoopDevices } from '../../test/support/requirements.ts'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { zeroRange } from './zero-range.ts'

const MIB = 1024 * 1024
const skip = needsLoopDevices()

function assertZeroed(bytes: Uint8Array, from: number, to: number): void {
  bytes.forEach((byte, index) => {
    if ((byte === 0) !== (index >= from && index < to)) assert.fail(`byte ${index} is ${byte}`)
  })
}

test('zeroRange() punches a hole into a file', async () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'volume.img')
  await writeFile(path, new Uint8Array(4 * MIB).fill(9))
  await using file = await open(path, 'r+')
  const range = { offset: MIB - 5, length: 2 * MIB }
  assert.equal(await zeroRange(file.fd, range, { kind: 'file', discard: true }), 'punched')
  assertZeroed(await readFile(path), MIB - 5, 3 * MIB - 5)
  assert.ok((await stat(path)).blocks * 512 <= 2 * MIB + 65_536)
})

test('zeroRange() keeps the space of a file when told', async () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'volume.img')
  await writeFile(path, new Uint8Array(4 * MIB).fill(9))
  await using file = await open(path, 'r+')
  await zeroRange(file.fd, { offset: MIB, length: MIB }, { kind: 'file', discard: false })
  assertZeroed(await readFile(path), MIB, 2 * MIB)
  assert.ok((await stat(path)).blocks * 512 >= 4 * MIB)
})

test('zeroRange() writes zeros without a native library', async () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'volume.img')
  await writeFile(path, new Uint8Array(3 * MIB).fill(9))
  const script = `
    import { open } from 'node:fs/promises'
    const { zeroRange } = await import(${JSON.stringify(new URL('zero-range.ts', import.meta.url).href)})
    await using file = await open(${JSON.stringify(path)}, 'r+')
    process.stdout.write(await zeroRange(file.fd, { offset: 5, length: 2 * ${MIB} }, { kind: 'file', discard: true }))
  `
  const method = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, ICECORE_NATIVE: 'off' },
    encoding: 'utf8',
  })
  assert.equal(method, 'written')
  assertZeroed(await readFile(path), 5, 2 * MIB + 5)
})

for (const discard of [true, false]) {
  test(`zeroRange() zeroes a device, discard ${discard}`, { skip }, async () => {
    using folder = temporaryFolder()
    const path = join(folder.path, 'disk.img')
    await writeFile(path, new Uint8Array(4 * MIB).fill(9))
    using device = loopDevice(path, { sectorSizeBytes: 4096 })
    using target = reopenTarget(device.path, { direct: true })
    const method = await zeroRange(target.fd, { offset: MIB, length: MIB }, { kind: 'device', discard })
    assert.equal(method, discard ? 'punched' : 'zeroed')
    const reread = await readFile(device.path)
    assertZeroed(reread, MIB, 2 * MIB)
  })
}

test('zeroRange() refuses an unaligned range of a device', { skip }, async () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'disk.img')
  await writeFile(path, new Uint8Array(MIB).fill(9))
  using device = loopDevice(path, { sectorSizeBytes: 4096 })
  using target = reopenTarget(device.path, { direct: true })
  await assert.rejects(
    zeroRange(target.fd, { offset: 512, length: 512 }, { kind: 'device', discard: true }),
    { code: 'EINVAL' },
  )
})
