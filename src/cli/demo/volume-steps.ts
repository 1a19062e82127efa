import { mkdir, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { formatByteSize } from '../../domain/byte-size.ts'
import { formatDuration } from '../../domain/duration.ts'
import { chooseFiles } from './choose-files.ts'
import { compareImages } from './compare-images.ts'
import { copyFiles } from './copy-files.ts'
import { copySparse } from './copy-sparse.ts'
import type { ChangedVolume, DemoParts, MadeVolume } from './demo-parts.ts'
import { changeCall, makeCall, runTool, type ToolCall } from './file-system-tools.ts'
import { debugfsRequests, planChanges, type PlannedChanges } from './plan-changes.ts'

const FILE_FOLDERS = ['/usr/share', '/usr/lib', '/usr/bin']
/** So that it does not take long on a slow machine. */
const FILE_COUNT_MAX = 5000

/** Makes a volume out of files of this machine, at most `dataBytes`, and decides what will change in it. */
export async function makeVolume(
  parts: DemoParts,
  wanted: { readonly sizeBytes: number; readonly dataBytes: number },
): Promise<{ readonly volume: MadeVolume; readonly plan: PlannedChanges }> {
  const { story, folder, signal, tools } = parts
  const path = join(folder, 'day1', 'volume.img')
  const files = join(folder, 'files')
  const call = makeCall(tools, { folder: files, path, sizeBytes: wanted.sizeBytes })
  await story.step('A volume, with files of this machine in it')
  await story.command(wordsOf(call))
  const startedAt = performance.now()
  const plan = await story.during('Copying files', async (progress) => {
    const limit = { sizeBytes: wanted.dataBytes, count: FILE_COUNT_MAX }
    const planned = planChanges(await chooseFiles(FILE_FOLDERS, limit, signal))
    await mkdir(files)
    await copyFiles(planned.first, files, { progress, signal })
    return planned
  })
  await story.during('Making the file system', async () => {
    await mkdir(join(folder, 'day1'))
    await runTool(call, signal)
    if (!parts.keep) await rm(files, { recursive: true, force: true })
  })
  const fileCount = plan.first.length
  const fileBytes = plan.first.reduce((sum, file) => sum + file.sizeBytes, 0)
  const took = formatDuration(performance.now() - startedAt)
  await story.outcome(
    'done',
    `${formatByteSize(wanted.sizeBytes)} of ext4 with ${fileCount} files from ${FILE_FOLDERS.join(', ')}: ${formatByteSize(fileBytes)}, in ${took}`,
  )
  return { volume: { path, sizeBytes: wanted.sizeBytes, fileCount, fileBytes }, plan }
}

/** Keeps the first state and changes files in a copy of it. */
export async function changeVolume(
  parts: DemoParts,
  volume: MadeVolume,
  plan: PlannedChanges,
): Promise<ChangedVolume> {
  const { story, folder, signal, tools } = parts
  const path = join(folder, 'day2', 'volume.img')
  const file = join(folder, 'a-day')
  const call = changeCall(tools, { path, file })
  await story.step('A day goes by: files come, change and go')
  await story.command(wordsOf(call))
  const startedAt = performance.now()
  await story.during('Changing files', async () => {
    await mkdir(join(folder, 'day2'))
    await copySparse(volume.path, path, signal)
    await writeFile(file, `${debugfsRequests(plan).join('\n')}\n`)
    await runTool(call, signal)
  })
  const { added, rewritten, removed } = plan
  const took = formatDuration(performance.now() - startedAt)
  await story.outcome(
    'done',
    `${added.length} files added, ${rewritten.length} rewritten, ${removed.length} removed, in ${took}`,
  )
  const ranges = await story.during('Comparing the two states', () =>
    compareImages(volume.path, path, signal),
  )
  const rangeBytes = ranges.reduce((sum, range) => sum + range.length, 0)
  await story.outcome(
    'done',
    `The change list: ${ranges.length} ranges, ${formatByteSize(rangeBytes)}, in changes.json`,
  )
  await story.remark(
    'Here it comes from comparing the two states block by block. In real life nobody reads them: a thin pool (thin_delta), Ceph (rbd diff) or QEMU (dirty bitmaps) keeps such a list anyway.',
  )
  return {
    path,
    addedCount: added.length,
    rewrittenCount: rewritten.length,
    removedCount: removed.length,
    ranges,
    rangeBytes,
  }
}

function wordsOf(call: ToolCall): string[] {
  return [basename(call.program), ...call.arguments]
}
