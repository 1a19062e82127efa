import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  renameSync,
  statfsSync,
  writeSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import { errnoMeaning } from '../domain/errno.ts'

/** One call, or one event, as a line of JSON. */
export type AuditLine = {
  readonly time: string
  readonly method: string
  /** The mover by its certificate; null for what no mover asked for. */
  readonly peer: string | null
  readonly serial: string | null
  /** What was asked, in short: sources, image. */
  readonly about: string
  readonly outcome: 'done' | 'failed'
  readonly failure: string | null
  readonly durationMs: number
  /** So many calls that were alike, where it stands for several. */
  readonly calls?: number
}

const NAME = 'audit.log'
const PREVIOUS_NAME = 'audit.log.1'
/** With the file before it twice that. */
const BYTES_MAX = 16 * 1024 * 1024
/** What cannot be written yet is kept, as long as it is little. */
const PENDING_MAX = 1000
const ROOM_BYTES_MIN = 1024 * 1024
const TEXT_LENGTH_MAX = 2000

/** What movers asked of this agent, and what became of it: a file that only its owner may read. */
export class AuditLog implements Disposable {
  readonly #folder: string
  readonly #bytesMax: number
  readonly #pending: string[] = []
  #fd: number
  #sizeBytes: number
  #lostCount = 0

  /** Throws AGENT_REFUSED when it cannot be opened. */
  constructor(folder: string, bytesMax = BYTES_MAX) {
    this.#folder = folder
    this.#bytesMax = bytesMax
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      this.#fd = openLog(folder)
      this.#sizeBytes = fstatSync(this.#fd).size
    } catch (cause) {
      throw unwritable(folder, cause)
    }
  }

  get path(): string {
    return join(this.#folder, NAME)
  }

  /** Never throws: what cannot be written keeps the next change from being made. */
  write(line: AuditLine): void {
    const about = line.about.slice(0, TEXT_LENGTH_MAX)
    const failure = line.failure?.slice(0, TEXT_LENGTH_MAX) ?? null
    this.#pending.push(`${JSON.stringify({ ...line, about, failure })}\n`)
    if (this.#pending.length > PENDING_MAX) {
      this.#pending.shift()
      this.#lostCount += 1
    }
    try {
      this.#flush()
    } catch {
      // Whoever wants to change something hears of it.
    }
  }

  /** Throws AGENT_REFUSED when what is done now could not be written down. */
  requireWritable(): void {
    try {
      this.#flush()
      const { bavail, bsize } = statfsSync(this.#folder)
      if (bavail * bsize < ROOM_BYTES_MIN) throw new Error('its file system is full')
    } catch (cause) {
      throw unwritable(this.#folder, cause)
    }
    if (this.#lostCount > 0) {
      const message = `The agent refuses to change anything: ${this.#lostCount} lines of its audit log could not be written and are lost, required is that its administrator sees to that and restarts it`
      throw new BackupError(ErrorCode.AgentRefused, message)
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd)
  }

  #flush(): void {
    while (this.#pending.length > 0) {
      const [line = ''] = this.#pending
      if (this.#sizeBytes + line.length > this.#bytesMax) this.#rotate()
      const bytes = Buffer.from(line)
      const written = writeSync(this.#fd, bytes)
      this.#sizeBytes += written
      if (written < bytes.byteLength) throw new Error('its file system is full')
      this.#pending.shift()
    }
  }

  #rotate(): void {
    renameSync(this.path, join(this.#folder, PREVIOUS_NAME))
    const fd = openLog(this.#folder)
    closeSync(this.#fd)
    this.#fd = fd
    this.#sizeBytes = 0
  }
}

function openLog(folder: string): number {
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW
  return openSync(join(folder, NAME), flags, 0o600)
}

function unwritable(folder: string, cause: unknown): BackupError {
  const reason = errnoMeaning(cause) ?? (cause instanceof Error ? cause.message : String(cause))
  const message = `The agent refuses to change anything: its audit log in "${folder}" cannot be written: ${reason}`
  return new BackupError(ErrorCode.AgentRefused, message, { cause, data: { folder } })
}

/** The last lines, the oldest first; none where there is no log. Lines that are none are left out. */
export async function lastCalls(folder: string, count: number): Promise<readonly AuditLine[]> {
  const texts = [await tailOf(join(folder, PREVIOUS_NAME)), await tailOf(join(folder, NAME))]
  const lines = texts.flatMap((text) => text.split('\n')).filter((line) => line !== '')
  return lines.slice(-count).flatMap((line) => parseLine(line) ?? [])
}

const TAIL_BYTES = 256 * 1024

async function tailOf(path: string): Promise<string> {
  try {
    await using file = await open(path)
    const { size } = await file.stat()
    const bytes = Buffer.alloc(Math.min(size, TAIL_BYTES))
    const { bytesRead } = await file.read(bytes, 0, bytes.byteLength, size - bytes.byteLength)
    return bytes.toString('utf8', 0, bytesRead)
  } catch {
    return '' // There is none yet, or this user may not read it.
  }
}

function parseLine(line: string): AuditLine | null {
  try {
    const value: unknown = JSON.parse(line)
    return isAuditLine(value) ? value : null
  } catch {
    return null
  }
}

function isAuditLine(value: unknown): value is AuditLine {
  return typeof value === 'object' && value !== null && 'time' in value && 'method' in value
}
