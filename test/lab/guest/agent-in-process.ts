// Runs in a guest: an agent of its own process, which may freeze all volumes of group `vg0`.
import { agentHost } from '../../../src/agent/agent-host.ts'
import { Targets } from '../../../src/agent/targets.ts'
import { systemRandomness } from '../../../src/cli/system-randomness.ts'
import { systemClock } from '../../../src/domain/clock.ts'
import { hostLvm } from '../../../src/linux/lvm/lvm-tools.ts'
import type { AgentApi, FrozenByAgent } from '../../../src/rpc/agent-api.ts'

const { signal } = new AbortController()

export function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

export const agentParts = { clock: systemClock, randomness: systemRandomness, version: '1', notice: say }
const lineageKey = 'ab'.repeat(16)

export function openAgent(): AgentApi & AsyncDisposable {
  return agentHost({
    ...agentParts,
    configuration: () => ({
      listen: { host: '127.0.0.1', port: 0 },
      sources: [{ pattern: '/dev/vg0/*', mayRestore: false }],
      hookSets: [],
      freezeDeadlineMs: 10_000,
      limits: { groups: 4, leaseSeconds: 3600, streams: 8 },
    }),
    beforeChange: () => {},
    watchdogLog: '/tmp/watchdog.log',
    targets: new Targets({ tools: hostLvm, randomness: systemRandomness, mayRestore: () => false }),
    certificates: {
      endsAtMs: () => 0,
      signingRequest: () => Promise.resolve(new Uint8Array()),
      installCertificate: () => Promise.resolve(),
    },
  })
}

export async function freeze(
  agent: AgentApi,
  source: string,
  basePointId: string | null = null,
): Promise<FrozenByAgent> {
  const order = {
    sources: [source],
    lineage: 'l',
    lineageKey,
    leaseSeconds: 600,
    provider: 'auto',
    basePointId,
  }
  return await agent.freeze(order, signal)
}
