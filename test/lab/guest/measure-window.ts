// Runs in a guest: freezes volumes together, again and again, and prints what each took; then each volume's own suspend.
// See ../long/freeze-window.test.ts.
import { lvmProvider } from '../../../src/capture/lvm/classic-provider.ts'
import { lvmThinProvider } from '../../../src/capture/lvm/thin-provider.ts'
import { systemRandomness } from '../../../src/cli/system-randomness.ts'
import { systemClock } from '../../../src/domain/clock.ts'
import { hostLvm } from '../../../src/linux/lvm/lvm-tools.ts'
import { openMapperCalls } from '../../../src/linux/lvm/mapper-calls.ts'

const { signal } = new AbortController()
const [kind, roundCount, ...names] = process.argv.slice(2)
const parts = { tools: hostLvm, randomness: systemRandomness, clock: systemClock }
const provider = kind === 'lvm' ? lvmProvider(parts) : lvmThinProvider(parts)
using calls = openMapperCalls()
const windowsMs: number[] = []
const ownMs: number[] = []
for (let round = 0; round < Number(roundCount); round += 1) {
  const sources = names.map((name) => `/dev/vg0/${name}`)
  const lease = systemClock.now().getTime() + 3_600_000
  await using group = await provider.freeze(
    { sources, lineageKey: 'b'.repeat(32), leaseEndsAtMs: lease, owner: 'measure' },
    signal,
  )
  windowsMs.push(group.windowMs ?? 0)
}
for (let round = 0; round < Number(roundCount); round += 1) {
  for (const name of names) {
    const startedAt = performance.now()
    await calls?.suspend(`vg0-${name}`)
    await calls?.resume(`vg0-${name}`)
    ownMs.push(Math.ceil(performance.now() - startedAt))
  }
}
process.stdout.write(`${JSON.stringify({ windowsMs, ownMs })}\n`)
