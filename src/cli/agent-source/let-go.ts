import type { AgentApi } from '../../rpc/agent-api.ts'

/** So long this waits for an agent: the lease ends by itself. */
const RELEASE_MS = 30_000

export type LeasedByAgent = {
  /** In the words of the notice. */
  readonly what: 'the frozen images' | 'the target'
  readonly groupId: string
  readonly leaseSeconds: number
}

/** Has an agent release what it holds, on every way out. One that cannot be reached does so by itself when the lease ends. */
export async function letGo(
  agent: Pick<AgentApi, 'release'>,
  { what, groupId, leaseSeconds }: LeasedByAgent,
  notice: (message: string) => void,
): Promise<void> {
  try {
    await agent.release(groupId, AbortSignal.timeout(RELEASE_MS))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    notice(`The agent was not told to let go of ${what}, it will within ${leaseSeconds} s: ${reason}`)
  }
}
