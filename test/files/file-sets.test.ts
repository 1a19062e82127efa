import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { test } from 'node:test'

import { describeTree } from '../support/describe-tree.ts'
import { writeExt4Image } from '../support/ext4-image.ts'
import { needsLoopDevices } from '../support/requirements.ts'
import { runTool } from '../support/run-tool.ts'
import { temporaryRepository } from '../support/temporary-repository.ts'
import { makeVariedFiles } from '../support/varied-files.ts'
import { whileMounted, writeXfsImage, XFS_SIZE_BYTES_MIN } from '../support/xfs-image.ts'

const MIB = 1024 * 1024

for (const format of ['ext4', 'xfs'] as const) {
  test(
    `backup --path of all of ${format} gives back what \`cp -a\` copies from a mount`,
    { skip: needsLoopDevices() },
    async () => {
      using repository = await temporaryRepository()
      const { folder } = repository
      const image = folder.join('image')
      if (format === 'ext4') writeExt4Image(image, { sizeBytes: 200 * MIB })
      else writeXfsImage(image, { sizeBytes: XFS_SIZE_BYTES_MIN })
      whileMounted(image, folder.join('mnt'), () => {
        makeVariedFiles(folder.join('mnt'))
        // To copy a file must not change when it was last read.
        runTool('mount', ['-o', 'remount,noatime', folder.join('mnt')])
        runTool('cp', ['-a', '--sparse=always', folder.join('mnt'), folder.join('copied')])
      })
      const first = await repository.backup([image, '--path', '/'])
      assert.equal(first.done.mode, 'full')
      const done = await repository.run(['extract', 'latest', '/', '--to', folder.join('taken')])
      assert.equal(done.exitCode, 0, done.stderr)
      const taken = describeTree(folder.join('taken'))
      const copied = describeTree(folder.join('copied'))
      assert.equal(taken.files, copied.files)
      assert.equal(taken.attributes, copied.attributes)
      assert.equal(taken.sizes, copied.sizes)
      assert.equal(taken.contents, copied.contents)
      const sparse = statSync(folder.join('taken', 'var', 'sparse'))
      assert.ok(sparse.blocks * 512 < MIB, `${sparse.blocks} blocks`)
      await repository.assertWhole()
    },
  )
}
