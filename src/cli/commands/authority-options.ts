import type { OptionDefinition } from '../command.ts'
import { asText } from '../option-values.ts'

/** Of commands that act as a mover. Without it the settings say where. */
export const AUTHORITY_OPTION = {
  kind: 'value',
  flag: 'authority',
  valueName: 'FOLDER',
  description: "the mover's certificate authority",
  environment: 'ICECORE_AUTHORITY',
  parse: asText,
  completes: 'folder',
} as const satisfies OptionDefinition

/** Of commands on the host of an agent. */
export const AGENT_FOLDER_OPTION = {
  kind: 'value',
  flag: 'folder',
  valueName: 'FOLDER',
  description: "the agent's folder: its key, its certificates, its configuration",
  environment: 'ICECORE_AGENT_FOLDER',
  parse: asText,
  completes: 'folder',
} as const satisfies OptionDefinition
