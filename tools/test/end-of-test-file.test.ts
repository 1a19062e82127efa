import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { temporaryFolder } from '../../test/support/temporary-folder.ts'

const HOOK = fileURLToPath(new URL('end-of-test-file.ts', import.meta.url))

test('a file of tests that cannot end fails, and what keeps it is named; one that can is left alone', async () => {
  using folder = temporaryFolder()
  const [kept, ended] = await Promise.all([
    runTestFile(folder.join('kept.mjs'), `import net from 'node:net'; net.createServer().listen(0)`),
    runTestFile(folder.join('ended.mjs'), ''),
  ])
  assert.equal(kept.exitCode, 1)
  assert.match(kept.errors, /TCPServerWrap kept it alive/)
  assert.deepEqual(ended, { exitCode: 0, errors: '' })
})

async function runTestFile(path: string, body: string): Promise<{ exitCode: unknown; errors: string }> {
  await writeFile(path, `import { test } from 'node:test'\n${body}\ntest('passes', () => {})\n`)
  const env = { ...process.env }
  // Else the child reports to the runner of this test.
  delete env['NODE_TEST_CONTEXT']
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', HOOK, path], { env }, (error, _, errors) => {
      resolve({ exitCode: error === null ? 0 : error.code, errors })
    })
  })
}
