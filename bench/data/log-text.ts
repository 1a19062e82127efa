import { closeSync, openSync, writeSync } from 'node:fs'
import type { SeededStream } from './seeded-stream.ts'

const PATHS = ['/', '/login', '/api/orders', '/api/customers', '/static/app.js', '/search', '/health', '/img']
const AGENTS = ['Mozilla/5.0 (X11; Linux x86_64)', 'curl/8.5.0', 'Mozilla/5.0 (iPhone)', 'probe/1.4']
const UNITS = ['kernel', 'sshd', 'postgres', 'nginx', 'systemd', 'backup', 'cron', 'worker']
const EVENTS = [
  'connection received',
  'checkpoint complete',
  'session opened for user deploy',
  'request finished',
  'queue drained',
  'retrying after timeout',
  'certificate will be renewed',
  'slow statement',
]
const STATUSES = [200, 200, 200, 200, 200, 304, 301, 404, 500]

/** Lines of a web server and a system journal, mixed, in time order. `state` carries the clock between calls. */
export type LogClock = { timeMs: number }

/** About `sizeBytes` of log lines; the last one ends with a line feed. */
export function logText(sizeBytes: number, stream: SeededStream, clock: LogClock): string {
  const lines: string[] = []
  let length = 0
  while (length < sizeBytes) {
    clock.timeMs += stream.below(40)
    const line = stream.below(3) === 0 ? journalLine(stream, clock) : accessLine(stream, clock)
    lines.push(line)
    length += line.length + 1
  }
  return `${lines.join('\n')}\n`
}

function accessLine(stream: SeededStream, clock: LogClock): string {
  const address = `10.${stream.below(4)}.${stream.below(256)}.${stream.below(256)}`
  const request = `GET ${PATHS[stream.below(PATHS.length)]}?id=${stream.below(1_000_000)} HTTP/1.1`
  const status = STATUSES[stream.below(STATUSES.length)]
  const agent = AGENTS[stream.below(AGENTS.length)]
  return `${address} - - [${clock.timeMs}] "${request}" ${status} ${stream.below(60_000)} "-" "${agent}"`
}

function journalLine(stream: SeededStream, clock: LogClock): string {
  const unit = `${UNITS[stream.below(UNITS.length)]}[${1000 + stream.below(30_000)}]`
  const event = EVENTS[stream.below(EVENTS.length)]
  const trace = stream
    .below(2 ** 32)
    .toString(16)
    .padStart(8, '0')
  return `${clock.timeMs} host-${stream.below(12)} ${unit}: ${event} trace=${trace} ms=${stream.below(900)}`
}

/** Writes a log of about `sizeBytes` to `path`. */
export function writeLog(path: string, sizeBytes: number, stream: SeededStream): number {
  const clock: LogClock = { timeMs: 1_700_000_000_000 }
  const file = openSync(path, 'w')
  try {
    let writtenBytes = 0
    while (writtenBytes < sizeBytes) {
      writtenBytes += writeSync(file, logText(Math.min(2 ** 20, sizeBytes - writtenBytes), stream, clock))
    }
    return writtenBytes
  } finally {
    closeSync(file)
  }
}
