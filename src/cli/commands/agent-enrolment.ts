import { hostAndPort } from '../../domain/host-and-port.ts'
import { ENROLMENT_PORT } from '../../rpc/enrolment-token.ts'
import type { CommandDefinition } from '../command.ts'
import { asText, wholeNumber } from '../option-values.ts'
import { AGENT_FOLDER_OPTION, AUTHORITY_OPTION } from './authority-options.ts'

const EXPIRES_MINUTES_MAX = 24 * 60

export const AGENT_INVITE = {
  name: 'agent invite',
  section: 'Keeping',
  summary: 'on the mover: let the agent of a host enrol',
  description: `Makes a token that works once, prints what to type on the other host, and waits until its agent has enrolled. The agent then has a certificate for HOST, and every mover of this authority may connect to it.

The first invitation makes the authority: a key that says who is an agent and who is a mover. Keep a copy of its folder, and keep it to yourself: docs/security.md.`,
  arguments: {
    host: {
      name: 'HOST',
      description:
        'the name or the address that movers connect to, as --agent of `icecore backup` will say it',
      count: 'one',
      parse: asText,
    },
  },
  options: {
    listen: {
      kind: 'value',
      flag: 'listen',
      valueName: 'ADDRESS[:PORT]',
      description: 'where to wait for the agent',
      default: `0.0.0.0:${ENROLMENT_PORT}`,
      parse: hostAndPort(ENROLMENT_PORT, 0),
    },
    expires: {
      kind: 'value',
      flag: 'expires',
      valueName: 'MINUTES',
      description: 'how long the token works',
      default: '15',
      parse: wholeNumber(1, EXPIRES_MINUTES_MAX),
    },
    tokenFile: {
      kind: 'value',
      flag: 'token-file',
      valueName: 'FILE',
      description: 'write the token to a new file instead of showing it; it is removed when the wait is over',
      parse: asText,
      completes: 'file',
    },
    authority: AUTHORITY_OPTION,
  },
  repository: 'none',
  examples: [
    { line: 'icecore agent invite db1.example.com', description: 'the host that owns the data' },
    { line: 'icecore agent invite 192.0.2.7 --expires 60', description: 'without a name, for an hour' },
  ],
  whenCancelled: 'The invitation is taken back: its token is of no use to anybody',
} as const satisfies CommandDefinition

export const AGENT_ENROLL = {
  name: 'agent enroll',
  section: 'Keeping',
  summary: 'on the host that owns the data: enrol its agent',
  description:
    'Takes the invitation of a mover: makes a key, which never leaves this host, and gets a certificate for it. The token is asked for, and not shown; it says whom to believe, so that nothing is sent to anybody else.',
  arguments: {
    mover: {
      name: 'MOVER[:PORT]',
      description: `where \`icecore agent invite\` waits (port: ${ENROLMENT_PORT})`,
      count: 'one',
      parse: hostAndPort(ENROLMENT_PORT),
    },
  },
  options: {
    tokenFile: {
      kind: 'value',
      flag: 'token-file',
      valueName: 'FILE',
      description: 'read the token from a file instead of asking',
      parse: asText,
      completes: 'file',
    },
    replace: {
      kind: 'switch',
      flag: 'replace',
      description: 'give up the key and the certificate that this host has already',
    },
    folder: AGENT_FOLDER_OPTION,
  },
  repository: 'none',
  examples: [
    { line: 'icecore agent enroll backup1.example.com', description: 'as `icecore agent invite` says' },
    {
      line: 'icecore agent enroll backup1.example.com --token-file /run/token',
      description: 'without a person',
    },
  ],
} as const satisfies CommandDefinition

export const AGENT_LIST = {
  name: 'agent list',
  section: 'Keeping',
  summary: 'on the mover: list agents and their certificates',
  description:
    'Lists the agents that were enrolled at the authority of this mover: the serial numbers of their certificates, until when they are good, and whether they were renewed or revoked. Certificates renew themselves when less than a third of their time is left and a mover connects.',
  arguments: {},
  options: { authority: AUTHORITY_OPTION },
  repository: 'none',
  examples: [{ line: 'icecore agent list', description: 'who has enrolled' }],
} as const satisfies CommandDefinition

export const AGENT_REVOKE = {
  name: 'agent revoke',
  section: 'Keeping',
  summary: 'on the mover: believe an agent, or a mover, no longer',
  description: `Revokes all certificates of an agent, or the one with a serial number. Movers of this authority refuse it at once; agents are told when a mover connects to them next.

With --mover the serial number is that of a mover, as the logs of agents show it. Agents refuse it when they have been told. Whoever has the folder of the authority can make movers at will: then only a new authority helps.`,
  arguments: {
    what: {
      name: 'NAME|SERIAL',
      description: 'as `icecore agent list` shows it',
      count: 'one',
      parse: asText,
    },
  },
  options: {
    mover: { kind: 'switch', flag: 'mover', description: 'the serial number is that of a mover' },
    authority: AUTHORITY_OPTION,
  },
  repository: 'none',
  examples: [{ line: 'icecore agent revoke db1.example.com', description: 'a host that is gone' }],
} as const satisfies CommandDefinition
