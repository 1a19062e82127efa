// A program that quiesces and freezes, made to be killed: `killed-program.ts FOLDER MOUNT_POINT WATCHDOG_LOG HOLD_MS`.
import { setTimeout as sleep } from 'node:timers/promises'

import { withQuiescence } from '../../src/capture/hooks/with-quiescence.ts'
import { startWatchdog } from '../../src/linux/watchdog/start-watchdog.ts'
import { journalHook, Made, planOf } from './quiesce.ts'

const [journal = '', mountPoint = '', logPath = '', holdMs = ''] = process.argv.slice(2)
const hooks = {
  beforeFreeze: [journalHook('one', 'sleep 0.1')],
  afterThaw: [journalHook('two', 'sleep 0.1')],
}
const plan = planOf({ hooks, mountPoints: [mountPoint] })
await using guard = await startWatchdog({ runId: plan.runId, logPath })
const environment = { PATH: '/usr/bin:/bin', JOURNAL: journal }
const parts = { guard, environment, notice: () => {}, signal: new AbortController().signal }
await withQuiescence(parts, plan, async () => {
  const command = ['/bin/sh', '-c', 'echo "undone - snapshot" >> "$JOURNAL"'] as const
  await using _guarded = await guard.guard({ command, environment, timeoutMs: 10_000 })
  process.stdout.write(`frozen by ${guard.pid}\n`)
  await sleep(Number(holdMs))
  return new Made()
})
process.stdout.write('done\n')
