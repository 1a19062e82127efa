import { rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { hostAndPortText } from '../../domain/host-and-port.ts'
import { type AuthorityFolder, openAuthority } from '../../host/authority-folder.ts'
import { inviteAgent } from '../../host/invite-agent.ts'
import type { EnrolledAgent } from '../../host/issue-to-agents.ts'
import { ENROLMENT_PORT } from '../../rpc/enrolment-token.ts'
import { canonicalHost } from '../../rpc/host-name.ts'
import type { AGENT_INVITE } from '../commands/agent-enrolment.ts'
import { ExitCode } from '../exit-code.ts'
import { dateOf, instantOf, localTimeOf } from '../instant-text.ts'
import type { CommandResult, InvocationOf } from '../invocation.ts'
import { writeNewSecretFile } from '../new-secret-file.ts'

type InviteInvocation = InvocationOf<typeof AGENT_INVITE>
type Invited = {
  readonly name: string
  readonly token: string
  readonly port: number
  readonly expiresAtMs: number
}

const EVERYWHERE: ReadonlySet<string> = new Set(['0.0.0.0', '::'])

/** Waits for one agent. */
export async function runAgentInvite(invocation: InviteInvocation): Promise<CommandResult> {
  const { options, settings, clock, randomness, signal, progress } = invocation
  const name = canonicalHost(invocation.arguments.host)
  const authority = await openAuthority(options.authority ?? settings.authorityFolder, { clock, randomness })
  const notice = (message: string): void => progress({ event: 'notice', message })
  if (authority.endsSoon !== null) notice(authority.endsSoon)
  // Only what was written here is removed.
  let isTokenWritten = false
  try {
    const enrolled = await inviteAgent(
      {
        authority,
        name,
        listen: options.listen,
        expiresMs: options.expires * 60_000,
        clock,
        randomness,
        onInvited: async (invited) => {
          if (options.tokenFile !== undefined) {
            await writeNewSecretFile(options.tokenFile, { what: 'the token', line: invited.token })
            isTokenWritten = true
          }
          await invocation.terminal.messages.write(invitationText(invocation, { ...invited, name }))
        },
        onRefused: ({ address, error }) => notice(`Refused ${address}: ${error.message}`),
      },
      signal,
    )
    return await resultOf(authority, name, enrolled)
  } finally {
    if (isTokenWritten && options.tokenFile !== undefined) await rm(options.tokenFile, { force: true })
  }
}

/** What to type on the other host. The token is shown here and nowhere else. */
function invitationText({ options, terminal }: InviteInvocation, invited: Invited): string {
  const { host } = options.listen
  const mover = { host: EVERYWHERE.has(host) ? hostname() : host, port: invited.port }
  const { tokenFile } = options
  const paint = (text: string): string => terminal.messages.paint('bold', text)
  const words = ['icecore agent enroll', hostAndPortText(mover, ENROLMENT_PORT)]
  if (tokenFile !== undefined) words.push('--token-file FILE')
  const until = localTimeOf(invited.expiresAtMs)
  const token =
    tokenFile === undefined
      ? `and type this token when it asks. It works once, until ${until}:\n\n    ${paint(invited.token)}\n`
      : `where FILE is a copy of "${tokenFile}". The token in it works once, until ${until}.\n`
  return `On ${invited.name}, as root, run\n\n    ${paint(words.join(' '))}\n\n${token}\nWaiting for the agent (Control-C takes the invitation back)\n`
}

async function resultOf(
  authority: AuthorityFolder,
  name: string,
  enrolled: EnrolledAgent,
): Promise<CommandResult> {
  const agent = (await authority.list()).find((listed) => listed.name === name)
  // Those of an enrolment before: their key may still lie somewhere.
  const before = agent?.certificates.filter(({ state }) => state === 'replaced') ?? []
  const earlier = before.map(({ serial, endsAtMs }) => ({ serial, endsAt: instantOf(endsAtMs) }))
  return {
    json: { name, serial: enrolled.serial, endsAt: instantOf(enrolled.endsAtMs), earlier },
    text: [
      `Enrolled ${name}; its certificate is good until ${dateOf(enrolled.endsAtMs)}, and is renewed by backups before`,
      ...before.map(
        ({ serial, endsAtMs }) =>
          `An earlier certificate of it stays good until ${dateOf(endsAtMs)}: \`icecore agent revoke ${serial}\` ends that`,
      ),
    ].join('\n'),
    exitCode: ExitCode.Done,
  }
}
