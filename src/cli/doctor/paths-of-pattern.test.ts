import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { PATHS_MAX, pathsOfPattern } from './paths-of-pattern.ts'

test('pathsOfPattern() gives what is there, one part of a path at a time', async () => {
  using folder = temporaryFolder()
  for (const name of ['vg0', 'vg1', 'other']) {
    mkdirSync(folder.join(name))
    for (const volume of ['home', 'root']) writeFileSync(folder.join(name, volume), '')
  }
  const at = (...names: readonly string[]): string => folder.join(...names)
  assert.deepEqual(await pathsOfPattern(at('vg0/home')), [at('vg0/home')])
  assert.deepEqual(await pathsOfPattern(at('vg*/h*e')), [at('vg0/home'), at('vg1/home')])
  assert.deepEqual(await pathsOfPattern(at('*', 'nothing')), [])
  assert.deepEqual(await pathsOfPattern(at('vg0/home/*')), [])
  assert.deepEqual(await pathsOfPattern('/'), ['/'])
})

test('pathsOfPattern() does not look further than it says', async () => {
  using folder = temporaryFolder()
  for (let at = 0; at < PATHS_MAX + 5; at += 1) writeFileSync(folder.join(`${at}`), '')
  assert.equal((await pathsOfPattern(folder.join('*'))).length, PATHS_MAX)
})
