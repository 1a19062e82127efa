import { openExistingAuthority } from '../../host/authority-folder.ts'
import type { Revocation } from '../../host/revoke-certificates.ts'
import type { AGENT_REVOKE } from '../commands/agent-enrolment.ts'
import { ExitCode } from '../exit-code.ts'
import type { CommandResult, InvocationOf } from '../invocation.ts'

/** Revokes certificates, by a list with a higher number. */
export async function runAgentRevoke(invocation: InvocationOf<typeof AGENT_REVOKE>): Promise<CommandResult> {
  const { options, settings, signal } = invocation
  const authority = await openExistingAuthority(options.authority ?? settings.authorityFolder, invocation)
  const order = { what: invocation.arguments.what, isMover: options.mover }
  const revocation = await authority.revoke(order, signal)
  const { name, serials, listNumber, isRepeated } = revocation
  return {
    json: { name, serials, listNumber, wasRevoked: isRepeated },
    text: textOf(revocation),
    exitCode: ExitCode.Done,
  }
}

function textOf({ name, serials, isRepeated }: Revocation): string {
  const whose = name === null ? 'a mover' : name
  const what = `${serials.length === 1 ? 'certificate' : `${serials.length} certificates`} of ${whose}`
  if (isRepeated) return `Nothing to do: the ${what} ${serials.length === 1 ? 'was' : 'were'} revoked before`
  const told =
    name === null
      ? 'Agents refuse it when a mover has brought them the news: with the next backup of each'
      : 'Movers of this authority refuse it from now on'
  return `Revoked the ${what}: ${serials.join(', ')}\n${told}`
}
