import type { CommandDefinition } from '../command.ts'
import { AGENT_FOLDER_OPTION } from './authority-options.ts'

export const AGENT_RUN = {
  name: 'agent run',
  section: 'Keeping',
  summary: 'serve movers on the host that owns the data',
  description:
    'Freezes volumes for movers that show a certificate of the authority that this host was enrolled at, and tells them where the frozen bytes lie. Only what agent.yaml in its folder allows is frozen, or written to; every call is noted in the audit log. Reads agent.yaml and the certificate anew on SIGHUP. On SIGTERM or SIGINT it releases what runs hold and ends; bases stay.',
  arguments: {},
  options: { folder: AGENT_FOLDER_OPTION },
  repository: 'none',
  examples: [{ line: 'icecore agent run', description: 'until it is told to stop' }],
} as const satisfies CommandDefinition
