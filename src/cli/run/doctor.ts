import { hostname } from 'node:os'
import { lookAtHost } from '../../host/doctor/look-at-host.ts'
import type { DOCTOR } from '../commands/doctor.ts'
import { doctorReport, type Examined } from '../doctor/doctor-report.ts'
import { lookAtRepository } from '../doctor/look-at-repository.ts'
import type { CommandResult, InvocationOf } from '../invocation.ts'

/** Says what is not set up as it should be. Changes nothing. */
export async function runDoctor(invocation: InvocationOf<typeof DOCTOR>): Promise<CommandResult> {
  const { signal, terminal } = invocation
  const examined: Examined[] = [
    {
      title: `This host, ${hostname()}`,
      findings: await lookAtHost({ ...invocation, needed: 'own' }, signal),
    },
    { title: 'The repository', findings: await lookAtRepository(invocation) },
  ]
  return doctorReport(examined, terminal.output)
}
