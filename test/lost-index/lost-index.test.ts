import assert from 'node:assert/strict'
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { mixedBytes } from '../support/mixed-bytes.ts'
import { sha256File } from '../support/sha256-file.ts'
import {
  assertRefused,
  temporaryRepository,
  type TemporaryRepository,
} from '../support/temporary-repository.ts'

const MIB = 1024 * 1024
const IMAGE_SIZE = 20 * MIB

/** A repository with three points of one image, and the index that three runs write. */
async function repositoryWithIndex(
  encrypted = false,
): Promise<{ readonly repository: TemporaryRepository; readonly image: string }> {
  const repository = await temporaryRepository({ encrypted })
  const image = repository.folder.join('image')
  for (let run = 0; run < 3; run += 1) {
    const bytes = mixedBytes('image', IMAGE_SIZE)
    for (let part = 0; part < run; part += 1) bytes.set(mixedBytes(`run ${part}`, MIB), 5 * part * MIB)
    writeFileSync(image, bytes)
    await repository.backup([image, '--name', 'volume'])
  }
  return { repository, image }
}

async function assertWorks(repository: TemporaryRepository, image: string): Promise<void> {
  const target = repository.folder.join('restored')
  await repository.restore(['latest', '--to', target, '--overwrite'])
  assert.equal(await sha256File(target), await sha256File(image))
  const made = await repository.backup([image, '--name', 'volume', '--base', 'none'])
  assert.equal(made.objects[0]?.newChunkCount, 0, 'everything is found')
}

/** The files of the index cache. */
function cacheFiles(repository: TemporaryRepository): string[] {
  return readdirSync(join(repository.cachePath, 'icecore', 'index'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

test('the cache of the index can be deleted, or be no folder at all', async () => {
  const made = await repositoryWithIndex(true)
  using repository = made.repository
  rmSync(repository.cachePath, { recursive: true })
  await assertWorks(repository, made.image)
  rmSync(repository.cachePath, { recursive: true })
  writeFileSync(repository.cachePath, 'a file where the folder should be')
  await assertWorks(repository, made.image)
  await repository.assertWhole()
})

test('damaged files in the cache of the index are made again', async () => {
  const made = await repositoryWithIndex()
  using repository = made.repository
  const damages: ((path: string) => void)[] = [
    (path) => truncateSync(path, 100),
    (path) => truncateSync(path, readFileSync(path).byteLength - 1),
    (path) => writeFileSync(path, ''),
    (path) => appendFileSync(path, 'more'),
    (path) => flip(path, 9), // The header.
    (path) => flip(path, readFileSync(path).byteLength - 10), // The tail.
  ]
  for (const [index, damage] of damages.entries()) {
    const files = cacheFiles(repository)
    assert.ok(files.length > 0, `${index}`)
    for (const path of files) damage(path)
    await assertWorks(repository, made.image)
  }
  for (const path of cacheFiles(repository)) writeFileSync(`${path}.999999999.partial`, 'of a killed run')
  await assertWorks(repository, made.image)
  assert.deepEqual(
    cacheFiles(repository).filter((path) => path.endsWith('.partial')),
    [],
  )
})

test('a damaged block in the cache of the index fails one command, which removes it', async () => {
  const made = await repositoryWithIndex()
  using repository = made.repository
  const restore = ['restore', 'latest', '--to', repository.folder.join('restored'), '--overwrite']
  for (const at of [4096 + 100, 4096 + 4080]) {
    const count = cacheFiles(repository).length
    for (const path of cacheFiles(repository)) flip(path, at)
    const codes: (number | null)[] = []
    do {
      const result = await repository.run([...restore, '--json'])
      codes.push(result.exitCode)
      if (result.exitCode !== 5) continue
      const message =
        /local copy of the index .* is damaged; it was removed, required is to run the command again/
      assertRefused(result, { exitCode: 5, code: 'LOCAL_INDEX_DAMAGED', message })
    } while (codes.at(-1) === 5 && codes.length <= count)
    assert.equal(codes[0], 5)
    assert.equal(codes.at(-1), 0)
    await assertWorks(repository, made.image)
  }
})

function flip(path: string, at: number): void {
  const bytes = readFileSync(path)
  bytes[at] = (bytes[at] ?? 0) ^ 1
  writeFileSync(path, bytes)
}

test('a repository without its index works, and the next backup writes it again', async () => {
  const made = await repositoryWithIndex()
  using repository = made.repository
  rmSync(join(repository.path, 'index'), { recursive: true })
  const target = repository.folder.join('restored')
  for (const _round of ['with the cache', 'without it']) {
    await repository.restore(['latest', '--to', target, '--overwrite'])
    assert.equal(await sha256File(target), await sha256File(made.image))
    const { problems } = await repository.check(['--data'])
    assert.deepEqual(
      problems.map(({ code, points }) => [code, points]),
      [['INDEX_INCOMPLETE', []]],
    )
    rmSync(repository.cachePath, { recursive: true, force: true })
  }
  assert.ok(!existsSync(join(repository.path, 'index')))
  await assertWorks(repository, made.image)
  assert.equal(repository.files('index').length, 1, 'one segment names all packs')
  rmSync(repository.cachePath, { recursive: true })
  await assertWorks(repository, made.image)
  await repository.assertWhole()
})

test('a backup keeps what it wrote of the index, and so the next command writes nothing there', async () => {
  const { repository, image } = await repositoryWithIndex()
  using _ = repository
  const after = cacheFiles(repository)
  assert.equal(after.length, 3, 'one run of the index for each of three backups')
  await repository.restore(['latest', '--to', repository.folder.join('first')])
  assert.deepEqual(cacheFiles(repository), after)
  await assertWorks(repository, image)
})
