import { BackupError, ErrorCode } from '../../src/domain/backup-error.ts'
import type { AgentApi } from '../../src/rpc/agent-api.ts'

/** An agent that does what the test says, and refuses everything else. */
export function scriptedAgent(script: Partial<AgentApi>): AgentApi {
  return {
    status: refuse,
    listSources: refuse,
    freeze: refuse,
    extents: refuse,
    delta: refuse,
    identify: refuse,
    challenge: refuse,
    read: refuse,
    load: refuse,
    renew: refuse,
    keep: refuse,
    release: refuse,
    openTarget: refuse,
    write: refuse,
    closeTarget: refuse,
    signingRequest: refuse,
    installCertificate: refuse,
    ...script,
  }
}

function refuse(): never {
  throw new BackupError(ErrorCode.AgentRefused, 'Cannot do that: this agent was not told how')
}
