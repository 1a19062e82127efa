import assert from 'node:assert/strict'
import { readdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { after, before } from 'node:test'
import { runIcecore, type IcecoreResult } from '../support/run-icecore.ts'
import { noiseBytes } from '../support/sample-files.ts'
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.ts'

const CHUNK = 65_536
const IMAGE_CHUNKS = 64

let folder: TemporaryFolder
/** The ids of the points, oldest first: two of lineage "vol", one of "other". */
const ids: string[] = []

const run = async (...words: readonly string[]): Promise<IcecoreResult> =>
  await runIcecore(words, {
    environment: { ICECORE_REPOSITORY: folder.join('repo'), XDG_CACHE_HOME: folder.join('cache') },
  })

async function backUp(image: string, ...words: readonly string[]): Promise<void> {
  const { exitCode, json, stderr } = await run('backup', image, '--json', ...words)
  assert.equal(exitCode, 0, stderr)
  ids.push(field(json, 'pointId'))
}

function field(json: unknown, name: string): string {
  assert.ok(typeof json === 'object' && json !== null)
  const value: unknown = Reflect.get(json, name)
  assert.ok(typeof value === 'string')
  return value
}

const errorCode = (result: IcecoreResult): unknown =>
  typeof result.json === 'object' && result.json !== null && 'error' in result.json
    ? field(result.json.error, 'code')
    : undefined

before(async () => {
  folder = temporaryFolder()
  const image = folder.join('image')
  const bytes = noiseBytes('points', IMAGE_CHUNKS * CHUNK)
  writeFileSync(image, bytes)
  assert.equal((await run('init', '--no-encryption', '--chunk-size', '64KiB')).exitCode, 0)
  await backUp(image, '--name', 'vol', '--tag', 'first', '--tag', 'both')
  bytes.fill(1, 3 * CHUNK + 5, 5 * CHUNK) // chunks 3 and 4
  bytes.fill(0, 60 * CHUNK, 61 * CHUNK)
  writeFileSync(image, bytes)
  await backUp(image, '--name', 'vol', '--tag', 'both')
  await backUp(image, '--name', 'other')
})
after(() => folder[Symbol.dispose]())

test('points --json lists the points of the contract, oldest first', async () => {
  const { exitCode, json, stderr } = await run('points', '--json')
  assert.deepEqual({ exitCode, stderr }, { exitCode: 0, stderr: '' })
  assert.ok(Array.isArray(json))
  const objects = [{ name: 'image', kind: 'volume', sizeBytes: IMAGE_CHUNKS * CHUNK }]
  const expected = [
    { id: ids[0], lineage: 'vol', objects, tags: ['first', 'both'], mode: 'full' },
    { id: ids[1], lineage: 'vol', objects, tags: ['both'], mode: 'compared' },
    { id: ids[2], lineage: 'other', objects, tags: [], mode: 'full' },
  ]
  const found: unknown[] = json
  assert.equal(found.length, 3)
  for (const [index, point] of expected.entries()) {
    const createdAt = field(found[index], 'createdAt')
    assert.match(createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    assert.deepEqual(found[index], { ...point, createdAt })
  }
})

test('points takes a lineage and tags, and shows a table', async () => {
  const { exitCode, stdout } = await run('points', '--lineage', 'vol', '--tag', 'both', '--tag', 'first')
  const lines = stdout.trimEnd().split('\n')
  assert.equal(exitCode, 0)
  assert.match(lines[0] ?? '', /^ID +CREATED +LINEAGE +MODE +OBJECTS +SIZE +STORED +TAGS$/)
  assert.match(
    lines[1] ?? '',
    new RegExp(`^${ids[0]?.slice(0, 12)}  .* vol +full +1 +4\\.00 MiB .* first, both$`),
  )
  assert.equal(lines.length, 2)
  assert.match((await run('points', '--lineage', 'none')).stdout, /^None of the 3 recovery points/)
})

test('show takes an id, a prefix, latest and latest:LINEAGE', async () => {
  for (const [selector, id] of [
    [ids[0], ids[0]],
    [ids[1]?.slice(0, 8), ids[1]],
    ['latest', ids[2]],
    ['latest:vol', ids[1]],
  ] as const) {
    const { exitCode, json } = await run('show', selector ?? '', '--json')
    assert.equal(exitCode, 0)
    assert.equal(field(json, 'id'), id)
    assert.partialDeepStrictEqual(json, { objects: [{ name: 'image' }], ledger: { degraded: [] } })
  }
  const { stdout } = await run('show', 'latest:vol')
  assert.match(stdout, /^ {2}Base {8}[0-9a-f]{12}$/m)
  assert.match(stdout, /Changed {5}192 KiB since the base/)
})

test('show says wrong usage for a point that is none, or that may be several', async () => {
  for (const [selector, code] of [
    ['0000000000000000000000000000000000000000', 'POINT_MISSING'],
    ['latest:nothing', 'POINT_MISSING'],
    ['abc', 'POINT_MISSING'],
    ['Latest', 'USAGE_WRONG'],
  ] as const) {
    const result = await run('show', selector, '--json')
    assert.deepEqual([result.exitCode, errorCode(result)], [2, code], selector)
  }
})

test('diff lists the ranges from one point to another, as a change list that backup takes', async () => {
  const [first = '', second = ''] = ids
  const { exitCode, json, stdout } = await run('diff', first, second, '--json')
  assert.equal(exitCode, 0)
  assert.deepEqual(json, [
    { offset: 3 * CHUNK, length: 2 * CHUNK, exists: true },
    { offset: 60 * CHUNK, length: CHUNK, exists: false },
  ])
  writeFileSync(folder.join('changes.json'), stdout)
  const words = ['--base', first, '--changes', folder.join('changes.json'), '--name', 'vol', '--dry-run']
  const dry = await run('backup', folder.join('image'), '--json', ...words)
  assert.equal(dry.exitCode, 0, dry.stdout)
  const text = (await run('diff', first, second)).stdout
  assert.match(text, /^2 ranges differ: 192 KiB of 4\.00 MiB \(4\.69%\), of which 64\.0 KiB became zeros$/m)
  assert.match(text, /^196608\+131072 +128 KiB {2}data$/m)
  assert.match((await run('diff', 'latest:vol', 'latest:other')).stdout, /^No range differs$/m)
  const wrong = await run('diff', first, second, '--object', 'x', '--json')
  assert.deepEqual([wrong.exitCode, errorCode(wrong)], [2, 'OBJECT_MISSING'])
})

test('forget removes what is named or what a rule does not keep, and a dry run removes nothing', async () => {
  const dry = await run('forget', '--keep-last', '1', '--dry-run', '--json')
  assert.partialDeepStrictEqual(dry, {
    exitCode: 0,
    json: {
      dryRun: true,
      kept: [
        { id: ids[1], reasons: ['last'] },
        { id: ids[2], reasons: ['last'] },
      ],
      removed: [{ id: ids[0], lineage: 'vol' }],
    },
  })
  for (const words of [
    [],
    ['--keep-last', '0'],
    ['latest', '--keep-last', '1'],
    ['latest', '--lineage', 'vol'],
  ]) {
    const result = await run('forget', ...words, '--json')
    assert.deepEqual([result.exitCode, errorCode(result)], [2, 'USAGE_WRONG'], words.join(' '))
  }
  const unknown = await run('forget', '--lineage', 'none', '--keep-last', '1', '--json')
  assert.deepEqual([unknown.exitCode, errorCode(unknown)], [2, 'POINT_MISSING'])
  const one = await run('forget', ids[0] ?? '', 'latest:other')
  assert.equal(one.exitCode, 0)
  assert.match(one.stdout, /\n2 points removed; their chunks stay in the repository\n$/)
  const left = await run('points', '--json')
  assert.partialDeepStrictEqual(left.json, [{ id: ids[1] }])
  assert.ok(Array.isArray(left.json) && left.json.length === 1)
})

test('points names a damaged point, lists the sound ones and ends with 5; forget removes it by its id', async () => {
  await backUp(folder.join('image'), '--name', 'torn')
  const torn = ids.at(-1) ?? ''
  truncateSync(join(folder.join('repo'), 'points', torn), 100)
  const text = await run('points')
  assert.equal(text.exitCode, 5)
  assert.match(text.stdout, new RegExp(`\nPoint ${torn.slice(0, 12)} is damaged: .*\n$`))
  const { exitCode, json, stderr } = await run('points', '--json')
  assert.equal(exitCode, 5)
  assert.match(stderr, new RegExp(`^icecore: Point ${torn.slice(0, 12)} is damaged: `))
  assert.ok(Array.isArray(json) && json.length === 1)
  assert.equal((await run('forget', '--keep-last', '1')).exitCode, 3)
  const alike = ids[1]?.slice(0, 8) ?? ''
  writeFileSync(join(folder.join('repo'), 'points', alike.padEnd(64, '0')), 'not a point')
  const ambiguous = await run('forget', alike, '--json')
  assert.deepEqual([ambiguous.exitCode, errorCode(ambiguous)], [2, 'POINT_AMBIGUOUS'])
  assert.equal((await run('forget', alike.padEnd(64, '0'))).exitCode, 0)
  assert.match((await run('forget', torn)).stdout, /^remove .*\(damaged\)\n1 point removed/m)
  assert.deepEqual(readdirSync(folder.join('repo', 'points')), [ids[1]])
  assert.equal((await run('points')).exitCode, 0)
})

test('points says what is wrong with a repository that cannot be used', async () => {
  const result = await run('points', '-r', folder.join('nothing'), '--json')
  assert.deepEqual([result.exitCode, errorCode(result)], [5, 'REPOSITORY_MISSING'])
})
