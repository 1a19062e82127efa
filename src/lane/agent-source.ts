import type { AgentConnection } from '../rpc/connect-agent.ts'
import type { AgentAddress, AgentLink } from './lane-messages.ts'
import { ReadTurns } from '../linux/read-turns.ts'
import { receiveInto } from './receive-pieces.ts'
import type { LaneSource } from './seal-lane.ts'

/** Each is a stream of its own, of which an agent gives a mover some dozens, whatever lanes it has. */
const READS_MAX = 4

/** Reads an image that an agent sends, over a connection of this lane's own, which begins with the first read. */
export function agentSource({ agent, imageId, sizeBytes }: AgentAddress): LaneSource {
  let opening: Promise<AgentConnection> | null = null
  const turns = new ReadTurns(READS_MAX)
  // Who cancels the run ends the thread.
  const never = new AbortController().signal
  return {
    sizeBytes,
    async readInto(target, offset) {
      opening ??= openConnection(agent)
      const connection = await opening
      await turns.do(() => receiveInto(connection, { imageId, target, offset }, never))
    },
    async close() {
      const connection = await opening?.catch(() => null)
      opening = null
      await connection?.[Symbol.asyncDispose]()
    },
  }
}

async function openConnection({ host, port, tls }: AgentLink): Promise<AgentConnection> {
  const [{ connectAgent }, { SharedTls }] = await Promise.all([
    import('../rpc/connect-agent.ts'),
    import('../rpc/shared-tls.ts'),
  ])
  const shared = new SharedTls(tls)
  // Of a run of days another one each time: the main thread sees to that.
  return connectAgent({ host, port, tls: () => Promise.resolve(shared.take()) })
}
