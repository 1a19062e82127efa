import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { mixedBytes } from '../support/mixed-bytes.ts'
import { temporaryRepository } from '../support/temporary-repository.ts'

const MIB = 1024 * 1024

test('backup refuses a change list that cannot be meant, and makes no point', async () => {
  using repository = await temporaryRepository()
  const image = repository.folder.join('image')
  const list = repository.folder.join('changes.json')
  writeFileSync(image, mixedBytes('listed', 4 * MIB))
  const { pointId } = await repository.backup([image])
  const wrong = [
    { text: '', message: /it is empty/ },
    { text: 'changes', message: /does not begin with \[/ },
    { text: '[{"offset": 0, "length": 4096', message: /does not end with \]/ },
    { text: '[{"offset": 0, "length": 4096} {"offset": 8192, "length": 1}]', message: /not a JSON array/ },
    { text: '{"offset": 0, "length": 4096}', message: /does not begin with \[/ },
    { text: '[{"offset": 0}]', message: /entry 0: expected/ },
    { text: '[{"offset": -4096, "length": 4096}]', message: /entry 0: expected/ },
    { text: '[{"offset": 0.5, "length": 1}]', message: /entry 0: expected/ },
    { text: '[{"offset": 9007199254740991, "length": 9007199254740991}]', message: /entry 0: expected/ },
    {
      text: '[{"offset": 0, "length": 8192}, {"offset": 4096, "length": 4096}]',
      message: /entry 1: it begins at 4096, inside or before the entry that ends at 8192/,
    },
    {
      text: '[{"offset": 65536, "length": 4096}, {"offset": 0, "length": 4096}]',
      message: /entry 1: it begins at 0, inside or before/,
    },
    {
      text: `[{"offset": ${4 * MIB - 1}, "length": 2}]`,
      message: /entry 0: it ends at 4194305, beyond the end of the image at 4194304/,
    },
  ]
  for (const { text, message } of wrong) {
    writeFileSync(list, text)
    const words = ['backup', image, '--changes', list]
    await repository.assertRefuses(words, { exitCode: 2, code: 'CHANGE_LIST_WRONG', message })
  }
  const absent = ['backup', image, '--changes', repository.folder.join('absent.json')]
  await repository.assertRefuses(absent, {
    exitCode: 2,
    code: 'CHANGE_LIST_WRONG',
    message: /ENOENT|no such/,
  })
  const twoSources = ['backup', image, repository.path + '/config', '--changes', list]
  await repository.assertRefuses(twoSources, {
    exitCode: 2,
    code: 'USAGE_WRONG',
    message: /one image, found 2/,
  })
  assert.deepEqual(
    (await repository.points()).map(({ id }) => id),
    [pointId],
  )
})

test('backup takes a change list without a base as a full run, and says so', async () => {
  using repository = await temporaryRepository()
  const image = repository.folder.join('image')
  writeFileSync(image, mixedBytes('listed', 4 * MIB))
  writeFileSync(repository.folder.join('changes.json'), ' [ ] \n')
  const made = await repository.backup([image, '--changes', repository.folder.join('changes.json')], 3)
  assert.deepEqual(
    made.degraded.map(({ code }) => code),
    ['BASE_MISSING'],
  )
  assert.equal(made.done.mode, 'full')
  await repository.assertWhole()
})
