import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { mixedBytes } from '../support/mixed-bytes.ts'
import { sha256File } from '../support/sha256-file.ts'
import { temporaryRepository } from '../support/temporary-repository.ts'

const MIB = 1024 * 1024

test('two backups of one lineage at once both make a right point', async () => {
  using repository = await temporaryRepository()
  const { folder } = repository
  const paths = ['one', 'two'].map((name) => folder.join(name))
  for (const path of paths) {
    const bytes = mixedBytes('shared', 40 * MIB)
    bytes.set(mixedBytes(path, 4 * MIB), 8 * MIB)
    writeFileSync(path, bytes)
  }
  for (let round = 0; round < 3; round += 1) {
    const made = await Promise.all(
      paths.map((path) => repository.backup([path, '--name', 'volume', '--lanes', '1'])),
    )
    for (const [index, { pointId }] of made.entries()) {
      const target = folder.join('restored')
      await repository.restore([pointId, '--to', target, '--overwrite'])
      assert.equal(await sha256File(target), await sha256File(paths[index] ?? ''))
    }
  }
  assert.equal((await repository.points()).length, 6)
  assert.deepEqual(repository.files('writers'), [])
  await repository.assertWhole()
})

test('backup while check runs, and check while backup runs, find nothing wrong', async () => {
  using repository = await temporaryRepository()
  const image = repository.folder.join('image')
  writeFileSync(image, mixedBytes('first', 48 * MIB))
  await repository.backup([image, '--name', 'volume'])
  for (let round = 0; round < 3; round += 1) {
    const bytes = mixedBytes('first', 48 * MIB)
    bytes.set(mixedBytes(`round ${round}`, 16 * MIB), 16 * MIB)
    writeFileSync(image, bytes)
    const checks = ['--data', '--data'].map((word) => repository.check([word]))
    const backup = repository.backup([image, '--name', 'volume', '--lanes', '1'])
    checks.push(repository.check([]))
    for (const { ok, problems } of await Promise.all(checks)) assert.ok(ok, JSON.stringify(problems))
    await backup
  }
  await repository.assertWhole()
})
