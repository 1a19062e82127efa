import { hostname } from 'node:os'
import { lookAtHost } from '../../host/doctor/look-at-host.ts'
import type { DOCTOR } from '../commands/doctor.ts'
import { doctorReport, type Examined } from '../doctor/doctor-report.ts'
import { lookAtMover } from '../doctor/look-at-mover.ts'
import { lookAtRepository } from '../doctor/look-at-repository.ts'
import type { CommandResult, InvocationOf } from '../invocation.ts'

/** Says what is not set up as it should be. Changes nothing. */
export async function runDoctor(invocation: InvocationOf<typeof DOCTOR>): Promise<CommandResult> {
  const { options, settings, signal, terminal } = invocation
  const { agent: address } = options
  const examined: Examined[] = []
  if (address !== undefined) {
    const authority = options.authority ?? settings.authorityFolder
    examined.push(...(await lookAtMover({ ...invocation, address, authority })))
  }
  const findings = await lookAtHost({ ...invocation, needed: 'own' }, signal)
  examined.push({ title: `This host, ${hostname()}`, findings })
  // Whoever asks for the way to an agent may have another host's repository in mind.
  if (address === undefined || settings.repository !== undefined) {
    examined.push({ title: 'The repository', findings: await lookAtRepository(invocation) })
  }
  return doctorReport(examined, terminal.output)
}
