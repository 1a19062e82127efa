import { join } from 'node:path'
import { Cancelled } from '../cancelled.ts'
import type { DEMO } from '../commands/demo.ts'
import { backUpChanges, backUpFirst, backUpWithWrongList, makeRepository } from '../demo/backup-steps.ts'
import { commandRunner } from '../demo/command-runner.ts'
import { folderBytes, openDemoFolder } from '../demo/demo-folder.ts'
import type { DemoFigures, DemoParts } from '../demo/demo-parts.ts'
import { demoExitCode, demoJson, demoText } from '../demo/demo-report.ts'
import { findFileSystemTools } from '../demo/file-system-tools.ts'
import { compareFiles, mapVolume, takeFileOut } from '../demo/look-steps.ts'
import { checkAll, restoreAndCompare } from '../demo/proof-steps.ts'
import { Story } from '../demo/story.ts'
import { changeVolume, makeVolume } from '../demo/volume-steps.ts'
import { findProgram } from '../../linux/find-program.ts'
import type { CommandResult, InvocationOf } from '../invocation.ts'

type DemoInvocation = InvocationOf<typeof DEMO>

/** The rest of the volume is free, as on a volume in use. */
const DATA_SHARE = 0.4
/** Enough to measure, and done in seconds. */
const DATA_MAX_BYTES = 448 * 1024 * 1024
/** Two states, a restored one, the files before they are in the volume, and the repository. */
const COPIES = 5
/** Journals and inode tables. */
const OVERHEAD_BYTES = 256 * 1024 * 1024

/** The whole story on a volume of its own. Everything is done by the commands themselves, in this process. */
export async function runDemo(invocation: DemoInvocation): Promise<CommandResult> {
  const { options, terminal, settings, signal } = invocation
  const tools = findFileSystemTools((name) => findProgram(name, process.env['PATH']))
  const dataBytes = Math.min(DATA_MAX_BYTES, Math.floor(options.size * DATA_SHARE))
  await using folder = await openDemoFolder({
    parent: options.folder,
    neededBytes: dataBytes * COPIES + OVERHEAD_BYTES,
    keep: options.keep,
  })
  const story = new Story(terminal.messages, settings, folder.path)
  await story.heading(
    'icecore demo',
    `Everything happens in ${folder.path}, which ${options.keep ? 'stays' : 'goes away at the end'}. Every line with $ is run there as it stands; ICECORE_REPOSITORY and ICECORE_PASSWORD_FILE name the repository and its password, which is random.`,
  )
  const run = commandRunner(invocation, folder.path)
  const parts = { folder: folder.path, story, run, tools, keep: options.keep, signal }
  const figures = await tell(parts, invocation, dataBytes).catch((error: unknown) => {
    if (!(error instanceof Cancelled)) throw error
    throw new Cancelled(
      error.signalName,
      options.keep ? `See ${folder.path}` : 'What the demo made is removed',
    )
  })
  const keptFolder = options.keep ? folder.path : null
  // What is typed next must work as this did: from a checkout through npx.
  const program = process.env['npm_command'] === 'exec' ? 'npx icecore' : 'icecore'
  return {
    json: demoJson(figures, keptFolder),
    text: () => demoText(figures, { program, keptFolder, paint: terminal.output.paint }),
    exitCode: demoExitCode(figures),
  }
}

async function tell(parts: DemoParts, invocation: DemoInvocation, dataBytes: number): Promise<DemoFigures> {
  const { story } = parts
  const startedAt = performance.now()
  const { volume, plan } = await makeVolume(parts, { sizeBytes: invocation.options.size, dataBytes })
  const mapped = await mapVolume(parts, volume, plan)
  const chunkSizeBytes = await makeRepository(parts, invocation.randomness)
  const first = await backUpFirst(parts, volume)
  const changed = await changeVolume(parts, volume, plan)
  const second = await backUpChanges(parts, changed)
  const points = { first: first.report.pointId, second: second.report.pointId, chunkSizeBytes }
  const changedFiles = await compareFiles(parts, points, plan)
  const takenOut = await takeFileOut(parts, points.first, plan)
  const wrongList = await backUpWithWrongList(parts, changed, points)
  await story.step('Both points, restored and compared with the originals')
  const firstRestore = await restoreAndCompare(parts, {
    id: points.first,
    original: volume.path,
    day: 'day1',
    chunkSizeBytes,
  })
  const secondRestore = await restoreAndCompare(parts, {
    id: points.second,
    original: changed.path,
    day: 'day2',
    chunkSizeBytes,
  })
  const check = await checkAll(parts)
  const repositoryBytes = await folderBytes(join(parts.folder, 'repository'))
  const durationMs = Math.round(performance.now() - startedAt)
  return {
    volume,
    changed,
    mapped,
    first,
    second,
    changedFiles,
    takenOut,
    wrongList,
    firstRestore,
    secondRestore,
    check,
    repositoryBytes,
    durationMs,
  }
}
