import { stat } from 'node:fs/promises'
import module from 'node:module'
import { prepareToFreeze } from '../freeze.ts'
import { unreachable } from '../../domain/unreachable.ts'
import { NotFrozen } from './frozen-mounts.ts'
import { Guardian } from './guardian.ts'
import { outliveMemoryShortage } from './outlive-memory-shortage.ts'
import type { Answer, FromWatchdog, Request, ToWatchdog } from './messages.ts'
import { reportDeeds } from './report-deeds.ts'

/** Nobody but icecore ends the watchdog: who asks both to end must find nothing frozen. */
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => {})

let isDone = false
const guardian = new Guardian(() => send({ event: 'expired' }))
const canFreeze = prepareToFreeze()
// Starts the threads of the pool now, and not when the first file system is to be frozen.
await stat('/')
outliveMemoryShortage()
// What was compiled is kept now, so that nothing is left to write when everything is frozen.
module.flushCompileCache()
process.on('message', (message: ToWatchdog) => {
  if ('done' in message) {
    isDone = true
    process.disconnect?.()
    return
  }
  void answerTo(message.request).then((answer) => send({ event: 'answer', number: message.number, answer }))
})
process.on('disconnect', () => void end())
send({ event: 'ready', canFreeze })

function send(message: FromWatchdog): void {
  // Icecore may be gone; then `disconnect` comes.
  if (process.connected) process.send?.(message, undefined, undefined, () => {})
}

async function answerTo(request: Request): Promise<Answer> {
  try {
    return await carryOut(request)
  } catch (error) {
    if (error instanceof NotFrozen) {
      return { kind: 'not-frozen', mountPoint: error.mountPoint, reason: error.reason }
    }
    return { kind: 'failed', message: error instanceof Error ? error.message : String(error) }
  }
}

async function carryOut(request: Request): Promise<Answer> {
  switch (request.kind) {
    case 'begin':
      await guardian.begin(request, request.mountPoints)
      return { kind: 'ok' }
    case 'run':
      return { kind: 'ran', end: await guardian.run(request.program) }
    case 'stop':
      guardian.stop(request.reason)
      return { kind: 'ok' }
    case 'freeze':
      await guardian.freeze(request.deadlineMs)
      return { kind: 'frozen' }
    case 'thaw':
      return { kind: 'thawed', end: await guardian.thaw() }
    case 'finish':
      return { kind: 'finished', ends: await guardian.finish(request.result) }
    case 'guard':
      guardian.guard(request.guardId, request)
      return { kind: 'ok' }
    case 'release':
      guardian.release(request.guardId)
      return { kind: 'ok' }
    case 'suspend':
      guardian.suspended.expect(request.devices, request.deadlineMs)
      return { kind: 'ok' }
    case 'resumed':
      return { kind: 'resumed', inTime: guardian.suspended.release() }
    default:
      return unreachable(request)
  }
}

async function end(): Promise<void> {
  if (isDone) guardian.releaseAll()
  const deeds = await guardian.undoAll('died')
  if (!isDone) await reportDeeds(deeds, process.env['ICECORE_WATCHDOG_LOG'])
  await guardian.settle()
  // oxlint-disable-next-line unicorn/no-process-exit -- nothing is left to do, whatever handle is still open
  process.exit(0)
}
