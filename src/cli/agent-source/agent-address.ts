import { AGENT_PORT } from '../../rpc/agent-api.ts'
import { hostAndPort, hostAndPortText, type HostAndPort } from '../../domain/host-and-port.ts'

export type AgentAddress = HostAndPort

/** HOST, HOST:PORT, [ADDRESS] or [ADDRESS]:PORT. Throws SyntaxError. */
export const parseAgentAddress: (text: string) => AgentAddress = hostAndPort(AGENT_PORT)

/** As a person would write it. */
export function agentText(address: AgentAddress): string {
  return hostAndPortText(address, AGENT_PORT)
}
