import assert from 'node:assert/strict'
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import * as v from 'valibot'

import { changeExt4Image, writeExt4Image } from '../support/ext4-image.ts'
import { mixedBytes } from '../support/mixed-bytes.ts'
import { needsLoopDevices } from '../support/requirements.ts'
import { runTool } from '../support/run-tool.ts'
import { temporaryRepository, type TemporaryRepository } from '../support/temporary-repository.ts'
import { whileMounted, writeXfsImage, XFS_SIZE_BYTES_MIN } from '../support/xfs-image.ts'

const MIB = 1024 * 1024
const schema = v.object({
  changedBytes: v.number(),
  changes: v.array(
    v.object({
      change: v.string(),
      path: v.string(),
      previousPath: v.optional(v.string()),
      kind: v.string(),
      fields: v.array(v.string()),
    }),
  ),
  problems: v.array(v.unknown()),
})

async function changesBetween(
  repository: TemporaryRepository,
  points: { readonly before: string; readonly after: string },
): Promise<string[]> {
  const result = await repository.run(['diff', points.before, points.after, '--files', '--json'])
  assert.equal(result.exitCode, 0, result.stderr)
  const { changes, problems } = v.parse(schema, result.json)
  assert.deepEqual(problems, [])
  return changes.map(({ change, path, previousPath, fields }) =>
    [change, ...(previousPath === undefined ? [] : [previousPath]), path, ...fields].join(' '),
  )
}

for (const format of ['ext4', 'xfs'] as const) {
  test(`diff --files tells what was done to a mounted ${format}`, { skip: needsLoopDevices() }, async () => {
    using repository = await temporaryRepository()
    const { folder } = repository
    const image = folder.join('image')
    if (format === 'ext4') writeExt4Image(image, { sizeBytes: 100 * MIB })
    else writeXfsImage(image, { sizeBytes: XFS_SIZE_BYTES_MIN })
    const at = (...names: readonly string[]): string => join(folder.join('mnt'), ...names)
    whileMounted(image, folder.join('mnt'), () => {
      for (const name of ['a', 'b', 'c', 'gone', 'gone/inner', 'still']) mkdirSync(at(name))
      for (let number = 0; number < 300; number += 1)
        writeFileSync(at('still', `${number}`), `still ${number}`)
      for (const name of [
        'append',
        'edit',
        'mode',
        'touch',
        'attribute',
        'replaced',
        'removed',
        'to-move',
        'hole',
      ]) {
        writeFileSync(at('a', name), `${name} as it was\n`)
      }
      writeFileSync(at('a', 'large'), mixedBytes('large', 9 * MIB))
      writeFileSync(at('gone', 'inner', 'file'), 'gone')
      writeFileSync(at('b', 'inside'), 'inside')
      symlinkSync('edit', at('a', 'link'))
      runTool('ln', [at('a', 'edit'), at('c', 'edit-too')])
    })
    const before = await repository.backup([image])
    whileMounted(image, folder.join('mnt'), () => {
      runTool('mount', ['-o', 'remount,noatime', folder.join('mnt')])
      appendFileSync(at('a', 'append'), 'more\n')
      writeFileSync(at('a', 'edit'), 'edit as it is \n')
      chmodSync(at('a', 'mode'), 0o600)
      utimesSync(at('a', 'touch'), 1, 2)
      runTool('setfattr', ['-n', 'user.new', '-v', 'x', at('a', 'attribute')])
      writeFileSync(at('a', 'replacing'), 'another file\n')
      renameSync(at('a', 'replacing'), at('a', 'replaced'))
      rmSync(at('a', 'removed'))
      renameSync(at('a', 'to-move'), at('c', 'moved'))
      truncateSync(at('a', 'hole'), 50_000)
      const large = mixedBytes('large', 9 * MIB)
      large[5 * MIB] = (large[5 * MIB] ?? 0) ^ 1
      writeFileSync(at('a', 'large'), large)
      rmSync(at('gone'), { recursive: true })
      renameSync(at('b'), at('b2'))
      rmSync(at('a', 'link'))
      symlinkSync('mode', at('a', 'link'))
      mkdirSync(at('new', 'deep'), { recursive: true })
      writeFileSync(at('new', 'deep', 'file'), 'new')
    })
    const after = await repository.backup([image])
    const changes = await changesBetween(repository, { before: before.pointId, after: after.pointId })
    assert.deepEqual(
      changes.filter((line) => !line.includes('/a/link')),
      [
        'modified /a/append content times',
        'metadata /a/attribute attributes',
        'modified /a/edit content times',
        'modified /a/hole content times',
        'modified /a/large content times',
        'metadata /a/mode mode',
        'removed /a/removed',
        'modified /a/replaced content times replaced',
        'metadata /a/touch times',
        'renamed /b /b2',
        'modified /c/edit-too content times',
        'renamed /a/to-move /c/moved',
        'removed /gone',
        'removed /gone/inner',
        'removed /gone/inner/file',
        'added /new',
        'added /new/deep',
        'added /new/deep/file',
      ],
    )
    assert.match(changes.find((line) => line.includes('/a/link')) ?? '', /^modified \/a\/link target times/)
    assert.deepEqual(await changesBetween(repository, { before: after.pointId, after: after.pointId }), [])
    const text = await repository.run(['diff', before.pointId, after.pointId, '--files'])
    assert.match(text.stdout, /\nM \/a\/edit\n/)
    assert.match(text.stdout, /\nR \/b -> \/b2\/\n/)
  })
}

test('diff --files does not call a file changed that shares a chunk with one that is', async () => {
  using repository = await temporaryRepository()
  const { folder } = repository
  const image = folder.join('image')
  mkdirSync(folder.join('files'))
  for (let number = 0; number < 64; number += 1)
    writeFileSync(folder.join('files', `f${number}`), `file ${number}`)
  writeExt4Image(image, { sizeBytes: 16 * MIB, filesFrom: folder.join('files') })
  const before = await repository.backup([image])
  writeFileSync(folder.join('new'), 'something else')
  changeExt4Image(image, [`write ${folder.join('new')} another`, 'rm f7', 'rm f9'])
  const after = await repository.backup([image])
  const changes = await changesBetween(repository, { before: before.pointId, after: after.pointId })
  assert.deepEqual(changes, ['added /another', 'removed /f7', 'removed /f9'])
})
