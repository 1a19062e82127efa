// Runs in a guest: suspends volumes, or stops in the middle of freezing them, and waits to be killed, or for the deadline.
// See ../suspend.test.ts.
import { setTimeout } from 'node:timers/promises'

import { lvmProvider } from '../../../src/capture/lvm/classic-provider.ts'
import type { LvmTools } from '../../../src/capture/lvm/lvm-tools.ts'
import { lvmThinProvider } from '../../../src/capture/lvm/thin-provider.ts'
import { systemRandomness } from '../../../src/cli/system-randomness.ts'
import { isBackupError } from '../../../src/domain/backup-error.ts'
import { systemClock } from '../../../src/domain/clock.ts'
import { hostLvm } from '../../../src/linux/lvm/lvm-tools.ts'
import { ownProcessIdentity, processWord } from '../../../src/linux/process-identity.ts'

const { signal } = new AbortController()
const HOUR_MS = 3_600_000

const [how, deadline, ...names] = process.argv.slice(2)
const deadlineMs = Number(deadline)
/** A deadline that is to pass does; before any other this process is killed. */
const waitMs = deadlineMs === 1000 ? 3000 : HOUR_MS
const paths = names.map((name) => `/dev/vg0/${name}`)
if (how === 'suspend') await suspendOnly()
else await stopInWindow()

async function suspendOnly(): Promise<void> {
  const volumes = (await hostLvm.listVolumes(signal)).filter(({ name }) => names.includes(name))
  await using suspended = await hostLvm.suspend(volumes, deadlineMs, signal)
  process.stdout.write('suspended\n')
  await setTimeout(waitMs)
  await sayWhatFails(async () => {
    const { windowMs } = await suspended.resume()
    process.stdout.write(`resumed after ${windowMs} ms\n`)
  })
}

async function sayWhatFails(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!isBackupError(error)) throw error
    process.stdout.write(`${error.code} ${error.message}\n`)
  }
}

/** Thin devices are deleted, classic snapshots emptied, their volumes stand still, and none has begun yet. */
async function stopInWindow(): Promise<void> {
  let isStopped = false
  const stop = async (): Promise<void> => {
    if (isStopped) return
    isStopped = true
    process.stdout.write('in the window\n')
    await setTimeout(waitMs)
  }
  const tools: LvmTools = {
    ...hostLvm,
    poolMessage: async (pool, message, now) => {
      if (message.startsWith('create_snap')) await stop()
      await hostLvm.poolMessage(pool, message, now)
    },
    emptySnapshot: async (snapshot, now) => {
      const empty = await hostLvm.emptySnapshot(snapshot, now)
      return {
        begin: async () => {
          await stop()
          await empty.begin()
        },
      }
    },
  }
  const parts = { tools, randomness: systemRandomness, clock: systemClock }
  const provider = how === 'freeze-thin' ? lvmThinProvider(parts) : lvmProvider(parts)
  const owner = processWord(ownProcessIdentity())
  const leaseEndsAtMs = systemClock.now().getTime() + HOUR_MS
  const request = {
    sources: paths,
    lineageKey: 'a'.repeat(32),
    leaseEndsAtMs,
    owner,
    freezeDeadlineMs: deadlineMs,
  }
  await sayWhatFails(async () => {
    await using _group = await provider.freeze(request, signal)
  })
}
