import assert from 'node:assert/strict'
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { test } from 'node:test'
import * as v from 'valibot'

import { writeExt4Image } from '../support/ext4-image.ts'
import { needsLoopDevices, needsRoot } from '../support/requirements.ts'
import { runTool } from '../support/run-tool.ts'
import { temporaryRepository, type TemporaryRepository } from '../support/temporary-repository.ts'
import { makeVariedFiles } from '../support/varied-files.ts'
import { assertSameAsCopied, writeVariedImage } from '../support/varied-image.ts'
import { whileMounted } from '../support/xfs-image.ts'

const MIB = 1024 * 1024
const extractSchema = v.object({
  fileCount: v.number(),
  folderCount: v.number(),
  linkCount: v.number(),
  hardLinkCount: v.number(),
  specialFileCount: v.number(),
  notKept: v.array(
    v.object({ what: v.string(), reason: v.string(), count: v.number(), example: v.string() }),
  ),
  problemCount: v.number(),
  problems: v.array(v.object({ code: v.string(), path: v.string(), message: v.string() })),
})

type Extracted = v.InferOutput<typeof extractSchema> & { readonly exitCode: number | null }

async function extract(
  repository: TemporaryRepository,
  words: readonly string[],
  userId?: number,
): Promise<Extracted> {
  const result = await repository.run(['extract', ...words, '--json'], {
    ...(userId === undefined ? {} : { userId }),
    environment: { HOME: repository.folder.path },
  })
  assert.ok(result.json !== undefined, result.stderr)
  const parsed = v.safeParse(extractSchema, result.json)
  assert.ok(parsed.success, result.stdout)
  return { ...parsed.output, exitCode: result.exitCode }
}

for (const format of ['ext4', 'xfs'] as const) {
  test(
    `extract takes out of ${format} what \`cp -a\` copies from a mount`,
    { skip: needsLoopDevices() },
    async () => {
      using repository = await temporaryRepository()
      const { folder } = repository
      const image = writeVariedImage(folder, format)
      await repository.backup([image])
      const done = await extract(repository, ['latest', '/', '--to', folder.join('taken')])
      assert.deepEqual([done.exitCode, done.problems, done.notKept], [0, [], []])
      assert.equal(done.hardLinkCount, 3)
      assert.equal(done.specialFileCount, 4)
      assertSameAsCopied(folder)
      const root = [folder.join('taken'), folder.join('copied')].map((path) => lstatSync(path))
      assert.equal(root[0]?.mode, root[1]?.mode)
      assert.equal(root[0]?.mtimeMs, root[1]?.mtimeMs)
    },
  )
}

/** An image of a few files, made without root. */
function writeSmallImage(repository: TemporaryRepository): string {
  const { folder } = repository
  const files = folder.join('files')
  mkdirSync(folder.join('files', 'etc', 'inner'), { recursive: true })
  writeFileSync(folder.join('files', 'etc', 'one'), 'first')
  writeFileSync(folder.join('files', 'etc', 'inner', 'two'), 'second')
  writeFileSync(folder.join('files', 'etc', 'inner', 'tab\there'), 'third')
  symlinkSync('inner/two', folder.join('files', 'etc', 'link'))
  const image = folder.join('image')
  writeExt4Image(image, { sizeBytes: 16 * MIB, filesFrom: files })
  return image
}

test('extract puts what was asked for below the folder, and merges and replaces only as it is told', async () => {
  using repository = await temporaryRepository({ encrypted: true })
  const { folder } = repository
  await repository.backup([writeSmallImage(repository)])
  const to = folder.join('to')
  const first = await extract(repository, ['latest', '/etc/inner', 'etc/link', '--to', to])
  assert.deepEqual([first.exitCode, first.fileCount, first.linkCount], [0, 2, 1])
  assert.deepEqual(readdirSync(folder.join('to', 'etc')), ['inner', 'link'])
  // Once more: what is there stays, and each is named; what is new is taken out.
  writeFileSync(folder.join('to', 'etc', 'inner', 'two'), 'mine')
  const second = await extract(repository, ['latest', '/etc', '--to', to])
  assert.deepEqual([second.exitCode, second.fileCount, second.problemCount], [4, 1, 3])
  assert.deepEqual(second.problems.map(({ code, path }) => `${code} ${path}`).toSorted(), [
    'TARGET_EXISTS /etc/inner/tab\\there',
    'TARGET_EXISTS /etc/inner/two',
    'TARGET_EXISTS /etc/link',
  ])
  assert.equal(readFileSync(folder.join('to', 'etc', 'inner', 'two'), 'utf8'), 'mine')
  const third = await extract(repository, ['latest', '/etc', '--to', to, '--overwrite'])
  assert.deepEqual([third.exitCode, third.problemCount], [0, 0])
  assert.equal(readFileSync(folder.join('to', 'etc', 'inner', 'two'), 'utf8'), 'second')
  assert.deepEqual(readdirSync(folder.join('to', 'etc', 'inner')), ['tab\there', 'two'])
  const escaped = await repository.run(['cat', 'latest', '/etc/inner/tab\\there'])
  assert.equal(escaped.stdout, 'third')
})

test('extract follows no link out of its folder', async () => {
  using repository = await temporaryRepository()
  const { folder } = repository
  await repository.backup([writeSmallImage(repository)])
  for (const name of ['to', 'elsewhere']) mkdirSync(folder.join(name))
  symlinkSync('../elsewhere', folder.join('to', 'etc'))
  const refused = await extract(repository, ['latest', '/etc', '--to', folder.join('to')])
  assert.deepEqual([refused.exitCode, refused.problems.map(({ code }) => code)], [4, ['TARGET_EXISTS']])
  assert.deepEqual(readdirSync(folder.join('elsewhere')), [])
  const replaced = await extract(repository, ['latest', '/etc', '--to', folder.join('to'), '--overwrite'])
  assert.equal(replaced.exitCode, 0)
  assert.deepEqual(readdirSync(folder.join('elsewhere')), [])
  assert.ok(lstatSync(folder.join('to', 'etc')).isDirectory())
  // A file that leads elsewhere is replaced, and what it leads to is not written.
  writeFileSync(folder.join('elsewhere', 'one'), 'precious')
  runTool('ln', ['-sf', folder.join('elsewhere', 'one'), folder.join('to', 'etc', 'one')])
  assert.equal(
    (await extract(repository, ['latest', '/etc', '--to', folder.join('to'), '--overwrite'])).exitCode,
    0,
  )
  assert.equal(readFileSync(folder.join('elsewhere', 'one'), 'utf8'), 'precious')
  assert.ok(lstatSync(folder.join('to', 'etc', 'one')).isFile())
})

test('extract as an ordinary user says what could not be kept', { skip: needsRoot() }, async () => {
  using repository = await temporaryRepository()
  const { folder } = repository
  const image = folder.join('image')
  writeExt4Image(image, { sizeBytes: 200 * MIB })
  whileMounted(image, folder.join('mnt'), () => makeVariedFiles(folder.join('mnt')))
  await repository.backup([image])
  mkdirSync(folder.join('to'))
  runTool('chmod', ['755', folder.path])
  runTool('chown', ['-R', '4321:4321', folder.join('to'), repository.path, repository.cachePath])
  const done = await extract(repository, ['latest', '/', '--to', folder.join('to')], 4321)
  assert.equal(done.exitCode, 3, JSON.stringify(done))
  assert.deepEqual([...new Set(done.problems.map(({ code }) => code))], ['NOT_MADE'])
  const notKept = new Map(done.notKept.map(({ what, count }) => [what, count]))
  assert.ok((notKept.get('owner') ?? 0) > 1200)
  assert.ok((notKept.get('attribute') ?? 0) >= 1)
  assert.equal(statSync(folder.join('to', 'var', 'zeds')).mode & 0o7777, 0o755)
  assert.equal(readFileSync(folder.join('to', 'etc', 'hello'), 'utf8'), 'hello\n')
})

test('extract, ls and cat refuse what is not there', async () => {
  using repository = await temporaryRepository()
  const { folder } = repository
  const image = writeSmallImage(repository)
  await repository.backup([image])
  const to = ['--to', folder.join('to')]
  await repository.assertRefuses(['extract', 'latest', '/etc', '/none', ...to], {
    exitCode: 2,
    code: 'FILE_MISSING',
    message: /Cannot find "\/none": "\/" has no "none"/,
  })
  assert.ok(!existsSync(folder.join('to')))
  await repository.assertRefuses(['ls', 'latest', '/etc/one/two'], {
    exitCode: 2,
    code: 'FILE_MISSING',
    message: /"\/etc\/one" is a file/,
  })
  await repository.assertRefuses(['cat', 'latest', '/etc/link'], {
    exitCode: 2,
    code: 'FILE_UNSUITABLE',
    message: /it is a symbolic link/,
  })
  await repository.assertRefuses(['ls', 'latest', '/etc/../etc'], {
    exitCode: 2,
    code: 'USAGE_WRONG',
    message: /"\.\."/,
  })
  await repository.assertRefuses(['extract', 'latest', '/', '--to', folder.join('none', 'to')], {
    exitCode: 4,
    code: 'TARGET_MISSING',
    message: /its folder does not exist/,
  })
  writeFileSync(folder.join('plain'), Buffer.alloc(MIB, 'no file system '))
  await repository.backup([folder.join('plain')])
  await repository.assertRefuses(['ls', 'latest'], {
    exitCode: 4,
    code: 'FILE_SYSTEM_UNMAPPED',
    message: /it bears no mark of a known format, required is ext2, ext3, ext4 or XFS/,
  })
  cpSync(image, folder.join('broken'))
  const broken = readFileSync(folder.join('broken'))
  broken.fill(0xff, 1024 + 4, 1024 + 56)
  broken.fill(0xff, 1024 + 58, 2048)
  broken.fill(0, 4096)
  writeFileSync(folder.join('broken'), broken)
  await repository.backup([folder.join('broken')])
  await repository.assertRefuses(['ls', 'latest'], {
    exitCode: 4,
    code: 'FILE_SYSTEM_UNMAPPED',
    message: /Cannot read files of broken of point [0-9a-f]{12}: /,
  })
})
