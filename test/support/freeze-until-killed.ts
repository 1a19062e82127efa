// A program that freezes files as clones until it is killed: `node freeze-until-killed.ts PATH…`. Every second group is
// kept, the others are released. It says when it begins.
import { systemRandomness } from '../../src/cli/system-randomness.ts'
import { reflinkProvider } from '../../src/capture/reflink/reflink-provider.ts'
import { systemClock } from '../../src/domain/clock.ts'
import { linuxReflinkTools } from '../../src/linux/reflink/reflink-tools.ts'

const { signal } = new AbortController()
const provider = reflinkProvider(linuxReflinkTools({ clock: systemClock, randomness: systemRandomness }))
const request = {
  sources: process.argv.slice(2),
  lineageKey: 'ab'.repeat(16),
  leaseEndsAtMs: 2 ** 42,
  owner: 'killed',
}
process.send?.('begin')
for (let count = 0; ; count += 1) {
  await using group = await provider.freeze(request, signal)
  if (count % 2 === 0) await group.keep(`${count}`.padStart(64, '0'), signal)
}
