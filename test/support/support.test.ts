import assert from 'node:assert/strict'
import { existsSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'

import { assertExt4Clean, changeExt4Image, writeExt4Image } from './ext4-image.ts'
import { loopDevice } from './loop-device.ts'
import { needsLoopDevices } from './requirements.ts'
import { runTool } from './run-tool.ts'
import { writeSampleFiles } from './sample-files.ts'
import { sha256File } from './sha256-file.ts'
import { temporaryFolder } from './temporary-folder.ts'
import { assertXfsClean, whileMounted, writeXfsImage, XFS_SIZE_BYTES_MIN } from './xfs-image.ts'

const MIB = 1024 * 1024

test('temporaryFolder() removes what was put into it', () => {
  let path: string
  {
    using folder = temporaryFolder()
    path = folder.join('a', 'b')
    mkdirSync(path, { recursive: true })
    assert.ok(existsSync(path))
  }
  assert.ok(!existsSync(path))
})

test('writeExt4Image() makes the same clean image of the same files', async () => {
  using folder = temporaryFolder()
  for (const name of ['one', 'two']) {
    if (name === 'two') await setTimeout(1100) // Another second: no time of the day may be in it.
    mkdirSync(folder.join(name))
    writeSampleFiles(folder.join(name))
    writeExt4Image(folder.join(`${name}.img`), { sizeBytes: 64 * MIB, filesFrom: folder.join(name) })
  }
  assertExt4Clean(folder.join('one.img'))
  assert.equal(await sha256File(folder.join('one.img')), await sha256File(folder.join('two.img')))
})

test('changeExt4Image() writes a file into an image, and says when it cannot', async () => {
  using folder = temporaryFolder()
  const image = folder.join('image')
  writeExt4Image(image, { sizeBytes: 16 * MIB })
  const before = await sha256File(image)
  writeFileSync(folder.join('letter'), 'Dear reader')
  changeExt4Image(image, [`write ${folder.join('letter')} letter`])
  assertExt4Clean(image)
  assert.notEqual(await sha256File(image), before)
  assert.equal(runTool('debugfs', ['-R', 'cat letter', image]), 'Dear reader')
  assert.throws(() => changeExt4Image(image, ['rm nothing']), /Cannot change/)
})

test('runTool() says what a failed tool said', () => {
  assert.throws(() => runTool('e2fsck', ['-n', '/nonexistent']), /exit code 8/)
  assert.throws(() => runTool('no-such-tool', []), /Cannot run "no-such-tool"/)
})

for (const sectorSizeBytes of [512, 4096]) {
  test(
    `loopDevice() has the file's bytes and sectors of ${sectorSizeBytes}`,
    { skip: needsLoopDevices() },
    async () => {
      using folder = temporaryFolder()
      const file = folder.join('file')
      writeFileSync(file, 'first bytes')
      truncateSync(file, MIB)
      using device = loopDevice(file, { sectorSizeBytes })
      assert.equal(await sha256File(device.path), await sha256File(file))
      assert.equal(runTool('blockdev', ['--getss', device.path]).trim(), String(sectorSizeBytes))
    },
  )
}

test('writeXfsImage() makes a clean image, empty and with files', { skip: needsLoopDevices() }, () => {
  using folder = temporaryFolder()
  const image = folder.join('image')
  writeXfsImage(image, { sizeBytes: XFS_SIZE_BYTES_MIN })
  assertXfsClean(image)
  whileMounted(image, folder.join('mounted'), () => writeSampleFiles(folder.join('mounted')))
  assertXfsClean(image)
})

test(
  'two images of writeXfsImage() can be mounted at once, as two tests do',
  { skip: needsLoopDevices() },
  () => {
    using folder = temporaryFolder()
    const [first, second] = [folder.join('first'), folder.join('second')]
    for (const image of [first, second]) writeXfsImage(image, { sizeBytes: XFS_SIZE_BYTES_MIN })
    whileMounted(first, folder.join('mounted'), () => {
      whileMounted(second, folder.join('beside'), () => writeSampleFiles(folder.join('beside')))
    })
  },
)
