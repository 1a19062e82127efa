import assert from 'node:assert/strict'
import { chownSync, readdirSync, statSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'

import * as v from 'valibot'

import type { SkipReason } from '../support/requirements.ts'
import { runIcecore } from '../support/run-icecore.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const SMALL = ['demo', '--size', '256MiB']
const IS_ROOT = process.getuid?.() === 0
const NOBODY = 65_534
const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url))

const COUNT = v.pipe(v.number(), v.minValue(1))
const BACKUP = v.object({ pointId: v.string(), exitCode: v.number(), mode: v.string(), readBytes: COUNT })
const RESTORE = v.object({
  originalSha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  equal: v.literal(true),
  fileSystemClean: v.literal(true),
  durationMs: COUNT,
})
const FIGURES = v.object({
  ok: v.literal(true),
  durationMs: COUNT,
  folder: v.string(),
  volume: v.object({ sizeBytes: v.literal(256 * 2 ** 20), fileCount: COUNT, fileBytes: COUNT }),
  changes: v.object({
    addedFileCount: COUNT,
    rewrittenFileCount: COUNT,
    removedFileCount: COUNT,
    rangeCount: COUNT,
    rangeBytes: COUNT,
  }),
  map: v.object({ usedBytes: COUNT, freeBytes: COUNT }),
  changedFiles: v.object({ changeCount: COUNT, missingCount: v.literal(0) }),
  extracted: v.object({ sizeBytes: COUNT, equal: v.literal(true) }),
  first: v.object({ ...BACKUP.entries, storedBytes: COUNT }),
  second: v.object({ ...BACKUP.entries, storedBytes: COUNT }),
  wrongList: v.object({
    ...BACKUP.entries,
    missedChunkCount: COUNT,
    missProbability: v.number(),
    noticed: v.literal(true),
    differingBytes: v.literal(0),
  }),
  restores: v.tuple([RESTORE, RESTORE]),
  check: v.object({ ok: v.literal(true), checkedChunkCount: COUNT }),
  repositoryBytes: COUNT,
})

test('demo --json gives the figures that were measured, and --keep what they were measured on', async () => {
  using folder = temporaryFolder()
  const run = await runIcecore([...SMALL, '--json', '--keep', '--folder', folder.path])
  assert.equal(run.exitCode, 0, run.stderr)
  assert.equal(run.stderr, '')
  const figures = v.parse(FIGURES, run.json)
  assert.equal(figures.first.mode, 'full')
  assert.equal(figures.second.mode, 'incremental')
  // Of so small a volume the witnesses alone are a third.
  assert.ok(figures.second.readBytes < figures.first.readBytes * 0.75)
  assert.ok(figures.second.storedBytes < figures.first.storedBytes / 2)
  assert.deepEqual([figures.wrongList.mode, figures.wrongList.exitCode], ['compared', 3])
  assert.ok(figures.wrongList.missProbability < 0.001)
  const [first, second] = figures.restores
  assert.notEqual(first.originalSha256, second.originalSha256)

  const kept = figures.folder
  assert.equal(statSync(`${kept}/password`).mode & 0o777, 0o600)
  const place = ['-r', `${kept}/repository`, '--password-file', `${kept}/password`]
  const points = await runIcecore(['points', ...place, '--json'])
  const ids = v.parse(v.array(v.object({ id: v.string() })), points.json).map(({ id }) => id)
  assert.deepEqual(ids, [figures.first.pointId, figures.second.pointId, figures.wrongList.pointId])
})

test(
  'demo runs as an ordinary user, fits 80 columns and leaves nothing',
  { skip: needsReadableCheckout() },
  async () => {
    using folder = temporaryFolder()
    chownSync(folder.path, NOBODY, NOBODY)
    const run = await runIcecore(SMALL, {
      userId: NOBODY,
      environment: { TMPDIR: folder.path, HOME: '/nonexistent', PATH: '/usr/bin:/bin' },
    })
    assert.equal(run.exitCode, 0, run.stderr)
    for (const text of [run.stderr, run.stdout]) {
      assert.equal(text, stripVTControlCharacters(text))
      for (const line of text.split('\n')) assert.ok(line.length <= 80, line)
    }
    assert.match(run.stderr, /\$ icecore backup day2\/volume\.img --name demo --changes changes\.json\n/)
    assert.match(run.stderr, /! Noticed: /)
    assert.match(run.stderr, /\$ icecore map day1\/volume\.img --path \//)
    assert.match(run.stderr, /\$ icecore diff [0-9a-f]{12} [0-9a-f]{12} --files\n/)
    assert.match(run.stderr, /as (?:in )?the original/)
    assert.match(run.stdout, /Both points came back (?:bit by bit|in all that is in use)/)
    assert.match(run.stdout, /Next, with your own data/)
    assert.deepEqual(readdirSync(folder.path), [])
  },
)

for (const step of ['A volume', 'The first backup', 'Both points']) {
  test(`demo leaves nothing when it is interrupted after "${step}"`, async () => {
    using folder = temporaryFolder()
    const run = await runIcecore([...SMALL, '--folder', folder.path], {
      onStart: (child) => {
        let heard = ''
        child.stderr?.on('data', (text: string) => {
          if (!heard.includes(step) && (heard + text).includes(step)) {
            setTimeout(() => child.kill('SIGINT'), 100)
          }
          heard += text
        })
      },
    })
    assert.equal(run.exitCode, 130, run.stderr)
    assert.match(run.stderr, /Cancelled by SIGINT\nWhat the demo made is removed\n$/)
    assert.deepEqual(readdirSync(folder.path), [])
  })
}

test('demo refuses a size that it cannot work with', async () => {
  const run = await runIcecore(['demo', '--size', '1MiB'])
  assert.equal(run.exitCode, 2)
  assert.match(run.stderr, /expected whole MiB from 256MiB to 64GiB/)
})

test('demo refuses a folder that is not there', async () => {
  const run = await runIcecore([...SMALL, '--folder', '/nowhere-at-all'])
  assert.equal(run.exitCode, 4)
  assert.match(run.stderr, /Cannot run the demo in "\/nowhere-at-all": there is no such folder/)
})

/** Root becomes another user, who must then be able to read the program. */
function needsReadableCheckout(): SkipReason {
  const isReadable = !IS_ROOT || [CHECKOUT, process.execPath].every(isReadableByOthers)
  return isReadable ? false : 'needs a checkout that an ordinary user can read'
}

function isReadableByOthers(path: string): boolean {
  for (let at = path; at !== '/'; at = at.replace(/\/[^/]*$/, '') || '/') {
    if ((statSync(at).mode & 0o005) === 0) return false
  }
  return true
}
