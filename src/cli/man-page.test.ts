import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import test from 'node:test'
import { BACKUP } from './commands/backup.ts'
import { FORGET } from './commands/forget.ts'
import { INIT } from './commands/init.ts'
import { KEY_ADD } from './commands/key.ts'
import { POINTS } from './commands/points.ts'
import { manPage } from './man-page.ts'

const PAGE = manPage([INIT, BACKUP, POINTS, FORGET, KEY_ADD], '1.2.3')

test('manPage() is rendered by groff without a warning', (context) => {
  const run = spawnSync('groff', ['-man', '-Tascii', '-ww', '-P-c'], { input: PAGE, encoding: 'utf8' })
  if (run.error !== undefined) return context.skip('groff is not installed')
  assert.equal(run.stderr, '')
  assert.match(run.stdout, /icecore - back up Linux block storage/)
  // As they would be copied.
  assert.match(run.stdout, /icecore points -r REPO --json \| jq -r '\.\[\]\.id'/)
  assert.match(run.stdout, /\{"offset",\s+"length",\s+"exists"\}/)
})

test('manPage() has every option, its default and every exit code', () => {
  for (const option of [
    'witnesses',
    'keep\\-hourly',
    'no\\-encryption',
    'new\\-password\\-file',
    'repo',
    'json',
  ]) {
    assert.ok(PAGE.includes(`\\-\\-${option}`), option)
  }
  assert.match(PAGE, /\(default: 256\)/)
  assert.match(PAGE, /\n\.TP\n130\ncancelled\n/)
})

test('manPage() lets no line begin as a request that it does not mean', () => {
  const requests = PAGE.split('\n').filter((line) => /^[.']/.test(line))
  const known = /^\.(TH|SH|SS|TP|PP|B|I|RS|RE|EX|EE)( |$)/
  assert.deepEqual(
    requests.filter((line) => !known.test(line)),
    [],
  )
})
