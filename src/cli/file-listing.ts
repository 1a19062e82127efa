import { formatPathBytes } from '../domain/path-text.ts'
import type { FileNode, FileTime } from '../formats/file-system.ts'
import type { ListedFile } from '../restore/list-files.ts'

const TYPE_LETTERS: Readonly<Record<FileNode['kind'], string>> = {
  file: '-',
  directory: 'd',
  symlink: 'l',
  'block-device': 'b',
  'character-device': 'c',
  fifo: 'p',
  socket: 's',
}
/** What a Temporal.Instant can hold. */
const SECONDS_MAX = 8_640_000_000_000

/** `drwxr-xr-x 2 0 0 4096 2026-11-22 16:51:03 etc`, with widths that most files fit. */
export function longLine(file: ListedFile, shownName: Uint8Array): string {
  const { node } = file
  const links = String(node.linkCount).padStart(3)
  const owner = `${String(node.userId).padEnd(5)} ${String(node.groupId).padEnd(5)}`
  const size = (
    node.device === null ? String(node.sizeBytes) : `${node.device.major}, ${node.device.minor}`
  ).padStart(12)
  const target = file.linkTarget === null ? '' : ` -> ${formatPathBytes(file.linkTarget)}`
  const name = formatPathBytes(shownName)
  return `${modeText(node)} ${links} ${owner} ${size} ${timeText(node.modified)} ${name}${target}`
}

/** A file as `ls --json` has it. */
export function fileJson(file: ListedFile): Readonly<Record<string, unknown>> {
  const { node } = file
  return {
    path: formatPathBytes(file.path),
    kind: node.kind,
    sizeBytes: node.sizeBytes,
    mode: node.mode.toString(8).padStart(4, '0'),
    userId: node.userId,
    groupId: node.groupId,
    linkCount: node.linkCount,
    inodeNumber: node.number,
    modifiedAt: instantText(node.modified),
    changedAt: instantText(node.changed),
    ...(node.device === null ? {} : { device: node.device }),
    ...(file.linkTarget === null ? {} : { target: formatPathBytes(file.linkTarget) }),
  }
}

/** As `ls -l` writes it. */
function modeText({ kind, mode }: FileNode): string {
  const user = triple(mode >> 6, (mode & 0o4000) === 0 ? '' : 's')
  const group = triple(mode >> 3, (mode & 0o2000) === 0 ? '' : 's')
  const others = triple(mode, (mode & 0o1000) === 0 ? '' : 't')
  return `${TYPE_LETTERS[kind]}${user}${group}${others}`
}

function triple(bits: number, special: string): string {
  const isRunnable = (bits & 1) !== 0
  const last = special === '' ? (isRunnable ? 'x' : '-') : isRunnable ? special : special.toUpperCase()
  return `${(bits & 4) === 0 ? '-' : 'r'}${(bits & 2) === 0 ? '-' : 'w'}${last}`
}

/** By the clock on the wall of whoever reads it, to the second. */
function timeText({ seconds }: FileTime): string {
  if (Math.abs(seconds) > SECONDS_MAX) return `@${seconds}`.padEnd(19)
  const instant = Temporal.Instant.fromEpochMilliseconds(seconds * 1000)
  const local = instant.toZonedDateTimeISO(timeZone()).toPlainDateTime()
  return local.toString({ smallestUnit: 'second' }).replace('T', ' ')
}

let zone: string | undefined
function timeZone(): string {
  zone ??= Temporal.Now.timeZoneId()
  return zone
}

/** ISO 8601 in UTC, with all nanoseconds; null for a time that has no such form. */
function instantText({ seconds, nanoseconds }: FileTime): string | null {
  if (Math.abs(seconds) >= SECONDS_MAX) return null
  const instant = Temporal.Instant.fromEpochNanoseconds(
    BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds),
  )
  return instant.toString({ smallestUnit: 'nanosecond' })
}
