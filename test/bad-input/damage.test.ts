import assert from 'node:assert/strict'
import { cpSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { mixedBytes } from '../support/mixed-bytes.ts'
import { sha256File } from '../support/sha256-file.ts'
import {
  assertRefused,
  temporaryRepository,
  type TemporaryRepository,
} from '../support/temporary-repository.ts'

const MIB = 1024 * 1024

const DAMAGES = ['truncated', 'flipped', 'swapped', 'missing'] as const
type Damage = (typeof DAMAGES)[number]

/** `other` is a file of the same kind, whose content a swapped one has. */
function damage(path: string, how: Damage, other: string): void {
  const bytes = readFileSync(path)
  switch (how) {
    case 'truncated':
      return writeFileSync(path, bytes.subarray(0, bytes.byteLength / 2))
    case 'flipped': {
      const at = Math.floor(bytes.byteLength / 20)
      bytes[at] = (bytes[at] ?? 0) ^ 0x10
      return writeFileSync(path, bytes)
    }
    case 'swapped': {
      const others = readFileSync(other)
      writeFileSync(other, bytes)
      return writeFileSync(path, others)
    }
    case 'missing':
      return rmSync(path)
  }
}

/** Two points of one image, and one of another; what is done to the repository can be undone. */
async function damageableRepository(encrypted: boolean): Promise<{
  repository: TemporaryRepository
  image: string
  first: string
  latest: string
  reset: () => void
}> {
  const repository = await temporaryRepository({ encrypted })
  const image = repository.folder.join('image')
  const keep = repository.folder.join('kept')
  writeFileSync(image, mixedBytes('other', 3 * MIB))
  await repository.backup([image, '--name', 'other'])
  const bytes = mixedBytes('image', 6 * MIB)
  writeFileSync(image, bytes)
  const first = await repository.backup([image, '--name', 'volume'])
  bytes.set(mixedBytes('changed', MIB), 2 * MIB)
  writeFileSync(image, bytes)
  const latest = await repository.backup([image, '--name', 'volume'])
  cpSync(repository.path, keep, { recursive: true })
  return {
    repository,
    image,
    first: first.pointId,
    latest: latest.pointId,
    reset() {
      for (const path of [repository.path, repository.cachePath]) {
        rmSync(path, { recursive: true, force: true })
      }
      cpSync(keep, repository.path, { recursive: true })
    },
  }
}

async function assertRestores(repository: TemporaryRepository, point: string, image: string): Promise<void> {
  const target = repository.folder.join('restored')
  await repository.restore([point, '--to', target, '--overwrite'])
  assert.equal(await sha256File(target), await sha256File(image))
}

/** The packs of a repository by size, the largest first: those of chunks, then those of nodes. */
function packsBySize(repository: TemporaryRepository): string[] {
  return repository.files('packs').toSorted((a, b) => statSync(b).size - statSync(a).size)
}

for (const encrypted of [false, true]) {
  const kind = encrypted ? 'an encrypted' : 'an open'
  test(`a damaged pack of chunks in ${kind} repository fails restore, is found, and heals`, async () => {
    const made = await damageableRepository(encrypted)
    using repository = made.repository
    const never = repository.folder.join('never')
    for (const how of encrypted ? (['flipped'] as const) : DAMAGES) {
      made.reset()
      const [largest = '', second = ''] = packsBySize(repository)
      damage(largest, how, second)
      for (const words of [
        ['restore', made.latest, '--to', never, '--json'],
        ['restore', made.first, '--to', never],
      ]) {
        assertRefused(await repository.run(words), {
          exitCode: 5,
          code: how === 'missing' ? 'CHUNK_MISSING' : 'CHUNK_DAMAGED',
          message: /chunk [0-9a-f]{64}|pack [0-9a-f]{64}/,
        })
        assert.ok(!existsSync(never) && !existsSync(`${never}.icecore-partial`), how)
      }
      const found = await repository.check(['--data'])
      assert.ok(!found.ok, how)
      const hurt = new Set(found.problems.flatMap(({ points }) => points.map(idOf)))
      assert.ok(hurt.has(made.first) && hurt.has(made.latest), `${how}: ${[...hurt].join()}`)
      await repository.backup([made.image, '--name', 'volume'])
      await assertRestores(repository, made.latest, made.image)
      await assertRestores(repository, 'latest:volume', made.image)
    }
  })
}

function idOf(point: unknown): string {
  return typeof point === 'string' ? point : JSON.stringify(point)
}

test('backup stores anew what a missing pack held, without being told', async () => {
  const made = await damageableRepository(false)
  using repository = made.repository
  rmSync(packsBySize(repository)[0] ?? '')
  const next = await repository.backup([made.image, '--name', 'volume'])
  assert.ok((next.objects[0]?.newChunkCount ?? 0) > 40, JSON.stringify(next.objects))
  await assertRestores(repository, next.pointId, made.image)
  await assertRestores(repository, made.latest, made.image)
})

test('backup gives up a base whose tree is damaged, says so, and makes a whole point', async () => {
  const made = await damageableRepository(true)
  using repository = made.repository
  for (const how of DAMAGES) {
    made.reset()
    const packs = packsBySize(repository)
    const small = packs.filter((path) => statSync(path).size < 64 * 1024)
    assert.ok(small.length >= 2, `${packs.length} packs, ${small.length} of nodes`)
    for (const [index, path] of small.entries()) {
      // Swapped one after the other, all but the last: each then has the content of the next.
      const next = small[index + 1]
      if (how !== 'swapped') damage(path, how, '')
      else if (next !== undefined) damage(path, how, next)
    }
    assertRefused(
      await repository.run(['restore', made.latest, '--to', repository.folder.join('never'), '--json']),
      { exitCode: 5, code: how === 'missing' ? 'CHUNK_MISSING' : 'CHUNK_DAMAGED', message: /./ },
    )
    const next = await repository.backup([made.image, '--name', 'volume'], 3)
    assert.deepEqual(
      next.degraded.map(({ code }) => code),
      ['BASE_UNUSABLE'],
      how,
    )
    await assertRestores(repository, next.pointId, made.image)
  }
})

test('damaged index segments cost time and no data', async () => {
  const made = await damageableRepository(false)
  using repository = made.repository
  for (const how of DAMAGES) {
    made.reset()
    const [first = '', second = ''] = repository.files('index')
    damage(first, how, second)
    await assertRestores(repository, made.latest, made.image)
    rmSync(repository.cachePath, { recursive: true, force: true })
    const next = await repository.backup([made.image, '--name', 'volume'], how === 'missing' ? 0 : 3)
    assert.deepEqual(
      next.degraded.map(({ code }) => code),
      how === 'missing' ? [] : ['INDEX_REBUILT'],
    )
    assert.equal(next.objects[0]?.newChunkCount, 0)
    await assertRestores(repository, next.pointId, made.image)
  }
})

test('a damaged point is listed as such, is not taken for a base, and the others stay usable', async () => {
  const made = await damageableRepository(false)
  using repository = made.repository
  const list = repository.folder.join('changes.json')
  writeFileSync(list, '[]')
  for (const how of DAMAGES) {
    made.reset()
    damage(`${repository.path}/points/${made.latest}`, how, `${repository.path}/points/${made.first}`)
    const listed = await repository.run(['points'])
    const id = made.latest.slice(0, 8)
    const restore = ['restore', made.latest, '--to', repository.folder.join('never')]
    if (how === 'missing') {
      assert.equal(listed.exitCode, 0)
      await repository.assertRefuses(restore, { exitCode: 2, code: 'POINT_MISSING', message: /begins so/ })
      continue
    }
    assert.equal(listed.exitCode, 5)
    assert.match(listed.stdout, new RegExp(`Point ${id}.* is damaged`))
    const message = /is damaged/
    await repository.assertRefuses(restore, { exitCode: 5, code: 'REPOSITORY_DAMAGED', message })
    // The list says what changed since a point that cannot be read: it proves nothing about any other.
    const next = await repository.backup([made.image, '--name', 'volume', '--changes', list], 3)
    assert.deepEqual(
      next.degraded.map(({ code }) => code),
      how === 'swapped' ? ['BASE_UNUSABLE', 'BASE_MISSING'] : ['BASE_UNUSABLE'],
    )
    assert.notEqual(next.done.mode, 'incremental')
    await assertRestores(repository, next.pointId, made.image)
  }
})

test('a restore of the only point says that it is damaged', async () => {
  using repository = await temporaryRepository()
  const image = repository.folder.join('image')
  writeFileSync(image, mixedBytes('image', MIB))
  const { pointId } = await repository.backup([image])
  damage(`${repository.path}/points/${pointId}`, 'truncated', '')
  const words = ['restore', 'latest', '--to', repository.folder.join('never')]
  const message = /Cannot use point "latest": point [0-9a-f]{12} is damaged/
  await repository.assertRefuses(words, { exitCode: 5, code: 'REPOSITORY_DAMAGED', message })
})

test('a configuration of another repository opens none of the points', async () => {
  using repository = await temporaryRepository()
  using other = await temporaryRepository()
  const image = repository.folder.join('image')
  writeFileSync(image, mixedBytes('image', MIB))
  await repository.backup([image])
  cpSync(`${other.path}/config`, `${repository.path}/config`)
  const listed = await repository.run(['points'])
  assert.equal(listed.exitCode, 5)
  assert.match(listed.stdout, /is damaged: it belongs to repository [0-9a-f]{32}, expected/)
  const words = ['restore', 'latest', '--to', repository.folder.join('never')]
  const message = /it belongs to repository/
  await repository.assertRefuses(words, { exitCode: 5, code: 'REPOSITORY_DAMAGED', message })
})
