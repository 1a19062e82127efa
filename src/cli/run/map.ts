import { mapFile, type FileMap } from '../../capture/file-map.ts'
import { mapSource, type SourceMap } from '../../capture/source-map.ts'
import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import { measureRanges } from '../../extents/measure-ranges.ts'
import { FormatError, UnmappedError } from '../../formats/format-error.ts'
import { deviceUse } from '../../linux/device-use.ts'
import type { MAP } from '../commands/map.ts'
import { ExitCode } from '../exit-code.ts'
import type { CommandResult, InvocationOf } from '../invocation.ts'
import { mapJson } from '../map-json.ts'
import { mapText, type MapImage } from '../map-report.ts'
import { openSource, tlsFilesOf, type OpenedSource } from '../open-source.ts'
import { sourceName } from '../source-name.ts'

type MapInvocation = InvocationOf<typeof MAP>

/** Free ranges of at least this share of an image are told apart: more of them than this would not fit a picture. */
const FREE_SHARE = 1 / 1_000_000
const FREE_LEAST_BYTES = 4096

/** Shows what lies on some images, and where files of it lie. */
export async function runMap(invocation: MapInvocation): Promise<CommandResult> {
  const { options, signal, progress, terminal } = invocation
  await using opened = new AsyncDisposableStack()
  const sources: OpenedSource[] = []
  for (const path of invocation.arguments.sources) {
    const source = opened.use(await openSource(path, { tlsFiles: tlsFilesOf(options), signal }))
    sources.push(source)
    if ('uri' in source.address) continue
    const { mountedReadWrite } = await deviceUse(source.realPath)
    if (mountedReadWrite.length === 0) continue
    const message = `"${path}" is mounted for writing at ${mountedReadWrite.join(', ')}: what is shown may mix several moments`
    progress({ event: 'notice', message })
  }
  const images = sources.map((source) => ({ name: sourceName(source, sources), image: source.image() }))
  const largest = Math.max(...sources.map(({ sizeBytes }) => sizeBytes))
  const freeAtLeastBytes = Math.max(FREE_LEAST_BYTES, Math.floor(largest * FREE_SHARE))
  const map = await mapSource(images, { freeAtLeastBytes, signal })
  const files = []
  for (const wanted of options.paths) {
    files.push({ text: wanted.text, file: await fileOf(invocation, map, wanted) })
  }
  const described = await Promise.all(sources.map((source) => describe(sources, source, signal)))
  const report = { images: described, map, files }
  return {
    json: mapJson(report),
    text: () => mapText(report, terminal.output.paint),
    exitCode: ExitCode.Done,
  }
}

async function fileOf(
  invocation: MapInvocation,
  map: SourceMap,
  wanted: MapInvocation['options']['paths'][number],
): Promise<FileMap> {
  const { signal, options } = invocation
  try {
    const file = await mapFile(map.stack, wanted, { extentCountMax: options.extents, signal })
    if (file !== null) return file
  } catch (cause) {
    if (!(cause instanceof FormatError || cause instanceof UnmappedError)) throw cause
    throw new BackupError(ErrorCode.SourceUnsuitable, `Cannot map "${wanted.text}": ${cause.message}`, {
      cause,
    })
  }
  const message = `Cannot map "${wanted.text}": there is no such file, required is a path inside the source`
  throw new BackupError(ErrorCode.FileMissing, message, { data: { path: wanted.text } })
}

async function describe(
  sources: readonly OpenedSource[],
  source: OpenedSource,
  signal: AbortSignal,
): Promise<MapImage> {
  const { path, type, identity, sizeBytes } = source
  const whole = { offset: 0, length: sizeBytes }
  const { lengthBytes } = await measureRanges(source.dataRanges(whole, signal))
  const name = sourceName(source, sources)
  return { name, path, type, identity: identity?.name ?? null, sizeBytes, allocatedBytes: lengthBytes }
}
