import { parseAgentAddress } from '../agent-source/agent-address.ts'
import { TRANSPORT_CHOICES } from '../agent-source/transport-choice.ts'
import type { OptionDefinition } from '../command.ts'
import { oneOf } from '../option-values.ts'
import { AUTHORITY_OPTION } from './authority-options.ts'

/** Of commands whose sources may be on another host. */
export const AGENT_OPTIONS = {
  agent: {
    kind: 'value',
    flag: 'agent',
    valueName: 'HOST[:PORT]',
    description: 'the sources are on this host, whose agent freezes them (port: 8770)',
    parse: parseAgentAddress,
  },
  transport: {
    kind: 'value',
    flag: 'transport',
    valueName: 'TRANSPORT',
    description:
      "how the bytes of an agent's sources come: san (this host reads its disks), lan (the agent sends), auto (san where it can be; the default)",
    parse: oneOf(TRANSPORT_CHOICES),
  },
  authority: AUTHORITY_OPTION,
} as const satisfies Readonly<Record<string, OptionDefinition>>
