import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync, readFileSync, rmSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { needsLab } from './needs-lab.ts'

const HOLDER = fileURLToPath(new URL('wait-for-end.ts', import.meta.url))
/** Usually under a second. */
const CLEAN_UP_TIMEOUT_MS = 60_000

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  test(
    `a process that ${signal} ends leaves no host and no folder behind`,
    { skip: needsLab() },
    async () => {
      const holder = spawn(process.execPath, [HOLDER], { stdio: ['pipe', 'pipe', 'inherit'] })
      const ended = once(holder, 'exit')
      let said = ''
      holder.stdout.on('data', (text: Buffer) => (said += text.toString()))
      while (!said.endsWith('\n'))
        await Promise.race([once(holder.stdout, 'data'), ended.then(() => assert.fail(said))])
      const { folder, logFolder }: { folder: string; logFolder: string } = JSON.parse(said)
      // The kernel and the switch, at least.
      assert.ok(processesNaming(folder).length >= 2)

      holder.kill(signal)
      await ended
      const deadline = performance.now() + CLEAN_UP_TIMEOUT_MS
      while (existsSync(folder) || processesNaming(folder).length > 0) {
        assert.ok(
          performance.now() < deadline,
          `left behind: ${folder}, ${processesNaming(folder).join(' ')}`,
        )
        await setTimeout(50)
      }
      // Kept, as always when a process did not end well.
      rmSync(logFolder, { recursive: true })
    },
  )
}

function processesNaming(folder: string): readonly string[] {
  return globSync('/proc/[0-9]*/cmdline').filter((path) => {
    try {
      return readFileSync(path, 'utf8').includes(folder)
    } catch {
      return false // It has ended meanwhile.
    }
  })
}
