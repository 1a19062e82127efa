import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { build } from 'esbuild'

import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { lazyBuiltins } from './lazy-builtins.ts'

const PROGRAM = `
import crypto, { createHash } from 'node:crypto'
import * as http from 'http'
import { join } from 'node:path'
const loaded = process.moduleLoadList.filter((name) => /undici|webcrypto/.test(name))
const digest = createHash('sha256').update('abc').digest('hex').slice(0, 8)
console.log(JSON.stringify([loaded, digest, typeof http.request, crypto.createHash === createHash, join('a', 'b')]))
`

test('lazyBuiltins loads what is used of the modules of Node.js, and nothing else', async () => {
  using folder = temporaryFolder()
  writeFileSync(folder.join('program.mjs'), PROGRAM)
  const loadedWith = async (plugins: readonly (typeof lazyBuiltins)[]): Promise<readonly unknown[]> => {
    const outfile = folder.join('built.mjs')
    await build({
      entryPoints: [folder.join('program.mjs')],
      outfile,
      bundle: true,
      format: 'esm',
      platform: 'node',
      plugins: [...plugins],
    })
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the program above prints
    return JSON.parse(execFileSync(process.execPath, [outfile], { encoding: 'utf8' })) as readonly unknown[]
  }
  const [loaded, ...rest] = await loadedWith([lazyBuiltins])
  assert.deepEqual(loaded, [])
  assert.deepEqual(rest, ['ba7816bf', 'function', true, 'a/b'])
  const [loadedBefore, ...same] = await loadedWith([])
  assert.ok(Array.isArray(loadedBefore) && loadedBefore.length > 0, 'else the plugin is needed no more')
  assert.deepEqual(same, rest)
})
