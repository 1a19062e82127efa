import { parseAgentAddress, type AgentAddress } from '../agent-source/agent-address.ts'
import { TRANSPORT_CHOICES, type TransportChoice } from '../agent-source/transport-choice.ts'
import type { OptionDefinition, ValueDefinition } from '../command.ts'
import { oneOf } from '../option-values.ts'
import { AGENT_PORT } from '../../rpc/agent-api.ts'
import { AUTHORITY_OPTION } from './authority-options.ts'

type OneValue<Value> = ValueDefinition<Value> & { readonly kind: 'value' }

/** `--agent`: what a command has to do with the agent of another host is its own to say. */
export function agentOption(description: string): OneValue<AgentAddress> {
  return {
    kind: 'value',
    flag: 'agent',
    valueName: 'HOST[:PORT]',
    description: `${description} (port: ${AGENT_PORT})`,
    parse: parseAgentAddress,
  }
}

/** `--transport`: who moves the bytes, where both hosts can. */
export function transportOption(
  what: string,
  by: { readonly san: string; readonly lan: string },
): OneValue<TransportChoice> {
  return {
    kind: 'value',
    flag: 'transport',
    valueName: 'TRANSPORT',
    description: `${what}: san (${by.san}), lan (${by.lan}), auto (san where it can be; the default)`,
    choices: TRANSPORT_CHOICES,
    parse: oneOf(TRANSPORT_CHOICES),
  }
}

/** Of commands whose sources may be on another host. */
export const AGENT_OPTIONS = {
  agent: agentOption('the sources are on this host, whose agent freezes them'),
  transport: transportOption("how the bytes of an agent's sources come", {
    san: 'this host reads its disks',
    lan: 'the agent sends',
  }),
  authority: AUTHORITY_OPTION,
} as const satisfies Readonly<Record<string, OptionDefinition>>
