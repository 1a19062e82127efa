import assert from 'node:assert/strict'
import { test } from 'node:test'
import { agentPair, NEVER } from '../../../test/support/agent-pair.ts'
import { eventually } from '../../../test/support/eventually.ts'
import { seededRandomness } from '../../../test/support/seeded-randomness.ts'
import { ErrorCode, isBackupError } from '../../domain/backup-error.ts'
import { systemClock } from '../../domain/clock.ts'
import type { ImageOfAgent } from '../../rpc/agent-api.ts'
import { SharedTls } from '../../rpc/shared-tls.ts'
import { freezeOnAgent } from './freeze-on-agent.ts'

const SIZE = 1024 * 1024
const IMAGE: ImageOfAgent = {
  imageId: 'i0',
  source: '/dev/vg0/home',
  provider: 'lvm-thin',
  heldId: 'h0',
  heldSource: 'vg0/home',
  sizeBytes: SIZE,
  sectorSizeBytes: 512,
  epoch: 'e1',
  devices: [],
  base: 'none',
  windowMs: null,
}
const ORDER = {
  sources: ['/dev/vg0/home'],
  lineage: 'home',
  lineageKey: '0'.repeat(32),
  provider: 'auto',
  basePointId: null,
}

test('freezeOnAgent() gives the run up when the network is cut, and does not wait for its images to be released', async () => {
  let renewedCount = 0
  const released: string[] = []
  await using pair = await agentPair(
    {
      // An agent that grants less than is asked for.
      freeze: () =>
        Promise.resolve({ groupId: 'g1', images: [IMAGE], freeze: null, degraded: [], leaseSeconds: 3 }),
      extents: async function* () {
        const extents = [{ kind: 'zero', offset: 0, length: SIZE } as const]
        yield await Promise.resolve({ imageSizeBytes: SIZE, epoch: 'e1', extents })
      },
      renew: () => {
        renewedCount += 1
        return Promise.resolve(3)
      },
      release: (groupId) => {
        released.push(groupId)
        return Promise.resolve()
      },
    },
    { pingIntervalMs: 100, pingTimeoutMs: 1000, connectMs: 5000, outageMs: 1500, lastAttemptMs: 200 },
  )
  const notices: string[] = []
  const parts = {
    agent: pair.agent,
    link: { host: '127.0.0.1', port: pair.proxy.port, tls: new SharedTls().memory },
    transport: 'lan',
    clock: systemClock,
    randomness: seededRandomness(1),
    notice: (message: string) => notices.push(message),
    signal: NEVER,
  } as const
  const frozen = await freezeOnAgent(parts, ORDER)
  await eventually(() => renewedCount >= 2)
  pair.proxy.isSilent = true
  await eventually(() => frozen.lost.aborted)
  const reason: unknown = frozen.lost.reason
  assert.ok(isBackupError(reason, ErrorCode.ConnectionFailed))
  assert.match(reason.message, /was tried again for 1\.5 s$/)
  const { connectionCount } = pair.proxy
  await frozen[Symbol.asyncDispose]()
  assert.equal(pair.proxy.connectionCount, connectionCount + 1)
  assert.deepEqual(released, [])
  assert.match(notices.join(), /^The agent was not told to let go of the frozen images, it will within 3 s: /)
})
