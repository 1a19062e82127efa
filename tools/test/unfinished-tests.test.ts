import assert from 'node:assert/strict'
import { test } from 'node:test'

import { UnfinishedTests } from './unfinished-tests.ts'

test('UnfinishedTests names what has begun and not ended', () => {
  const unfinished = new UnfinishedTests('/repo')
  const [one, two] = ['one', 'two'].map((name) => ({ name, file: '/repo/src/a.test.ts' }))
  assert.ok(one && two)
  for (const begun of [one, two, { name: '/repo/src/b.test.ts' }]) unfinished.begin(begun)
  unfinished.end(one)
  assert.deepEqual(unfinished.names(), ['src/a.test.ts: two', 'src/b.test.ts'])
})
