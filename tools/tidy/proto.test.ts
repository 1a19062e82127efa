import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { test } from 'node:test'
import { spawnSync } from 'node:child_process'

import { checkoutFolder, writtenFiles } from './checkout.ts'

/** Runs buf as it came with the checkout; it needs no network for what it is asked here. */
function buf(...words: readonly string[]): string {
  const tools = join(checkoutFolder, 'node_modules/.bin')
  const env = { ...process.env, PATH: `${tools}${delimiter}${process.env['PATH'] ?? ''}` }
  const { status, stdout, stderr, error } = spawnSync(join(tools, 'buf'), words, {
    cwd: checkoutFolder,
    encoding: 'utf8',
    env,
  })
  assert.equal(error, undefined)
  assert.equal(status, 0, `buf ${words.join(' ')}: ${stdout}${stderr}`)
  return stdout
}

test('buf finds nothing to say of proto/', () => {
  assert.equal(buf('lint'), '')
})

test('what is generated from proto/ is what is committed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'icecore-generated-'))
  try {
    buf('generate', '--output', folder)
    const committed = writtenFiles('src/rpc/gen/**/*.ts')
    const made = writtenFiles('proto/**/*.proto').map((path) =>
      path.replace('proto/', 'src/rpc/gen/').replace(/\.proto$/, '_pb.ts'),
    )
    assert.deepEqual(committed, made.toSorted())
    for (const path of committed) {
      const again = readFileSync(join(folder, path), 'utf8')
      assert.equal(readFileSync(join(checkoutFolder, path), 'utf8'), again, `${path}: run buf generate`)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
