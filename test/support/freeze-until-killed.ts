// A program that freezes files as clones until it is killed: `node freeze-until-killed.ts PATH…`. Every second group is
// kept, the others are released. It says when it begins.
import { dirname } from 'node:path'

import { reflinkOn } from './reflink-on.ts'

const { signal } = new AbortController()
const sources = process.argv.slice(2)
const provider = reflinkOn(dirname(sources[0] ?? ''))
const request = {
  sources,
  lineageKey: 'ab'.repeat(16),
  leaseEndsAtMs: 2 ** 42,
  owner: 'killed',
}
process.send?.('begin')
for (let count = 0; ; count += 1) {
  await using group = await provider.freeze(request, signal)
  if (count % 2 === 0) await group.keep(`${count}`.padStart(64, '0'), signal)
}
