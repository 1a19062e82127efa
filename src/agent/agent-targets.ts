import type { AgentApi, ChallengeQuestion } from '../rpc/agent-api.ts'

/** The part of an agent that writes. Its targets are asked as images are, by ids that are never those of images. */
export type AgentTargets = AsyncDisposable &
  Pick<AgentApi, 'openTarget' | 'extents' | 'identify' | 'read' | 'write'> & {
    isTarget(id: string): boolean
    challenge(question: ChallengeQuestion): Promise<readonly Uint8Array[]>
    renew(lease: { readonly groupId: string; readonly leaseSeconds: number }): void
    closeTarget(id: string): Promise<void>
    /** Lets go of one that is not finished; one that is gone already is no error. */
    release(id: string): Promise<void>
  }
