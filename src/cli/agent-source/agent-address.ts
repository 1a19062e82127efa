import type { ParseText } from '../command.ts'

export type AgentAddress = { readonly host: string; readonly port: number }

export const AGENT_PORT = 8770
const PORT_MAX = 65_535

/** HOST, HOST:PORT, [ADDRESS] or [ADDRESS]:PORT. Throws SyntaxError. */
export const parseAgentAddress: ParseText<AgentAddress> = (text) => {
  const found = /^(?:\[([0-9A-Fa-f:.%a-z]+)\]|([^\s:/[\]@]+))(?::(\d{1,5}))?$/.exec(text)
  const host = found?.[1] ?? found?.[2]
  const port = found?.[3] === undefined ? AGENT_PORT : Number(found[3])
  if (host !== undefined && port >= 1 && port <= PORT_MAX) return { host, port }
  throw new SyntaxError(
    `Cannot read agent "${text}": expected HOST, HOST:PORT or [ADDRESS]:PORT, such as web1:${AGENT_PORT}`,
  )
}

/** As a person would write it. */
export function agentText({ host, port }: AgentAddress): string {
  const name = host.includes(':') ? `[${host}]` : host
  return port === AGENT_PORT ? name : `${name}:${port}`
}
