import { listPoints } from '../../repository/points.ts'
import { selectSoundPoint } from '../../repository/select-point.ts'
import type { SHOW } from '../commands/show.ts'
import { ExitCode } from '../exit-code.ts'
import type { CommandResult, InvocationOf } from '../invocation.ts'
import { openUnlocked } from '../open-repository.ts'
import { describePoint } from '../point-description.ts'

/** One point, whole. */
export async function runShow(invocation: InvocationOf<typeof SHOW>): Promise<CommandResult> {
  await using opened = await openUnlocked(invocation)
  const found = await listPoints(opened.repository)
  const { id, point } = selectSoundPoint(found, invocation.arguments.point)
  const { chunkSizeBytes } = opened.repository.config
  return {
    json: { id, ...point },
    text: () => describePoint({ id, point }, { chunkSizeBytes, paint: invocation.terminal.output.paint }),
    exitCode: ExitCode.Done,
  }
}
