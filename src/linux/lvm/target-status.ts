// What device-mapper answers for the targets of a device.
import { HEADER, HEADER_BYTES, SPEC, SPEC_BYTES, TYPE_BYTES } from './mapper-layout.ts'

/** A volume in more pieces than that has other ways of being looked at. */
const TARGETS_MAX = 100_000

/**
 * The lines that `dmsetup status` or `dmsetup table` prints: of each target its first sector, its length, its type and
 * what it says. Throws RangeError for an answer that is not laid out so.
 */
export function decodeTargetLines(answer: Uint8Array<ArrayBuffer>): string {
  const view = new DataView(answer.buffer, answer.byteOffset, answer.byteLength)
  const end = view.getUint32(HEADER.dataSize, true)
  const start = view.getUint32(HEADER.dataStart, true)
  const count = view.getUint32(HEADER.targetCount, true)
  if (start < HEADER_BYTES || end > answer.byteLength || count > TARGETS_MAX) {
    throw unexpected(`${count} targets from byte ${start} to ${end} of ${answer.byteLength}`)
  }
  const lines: string[] = []
  let at = start
  for (let index = 0; index < count; index += 1) {
    if (at + SPEC_BYTES > end) throw unexpected(`target ${index} begins at byte ${at} of ${end}`)
    lines.push(decodeTarget(answer.subarray(at, end)))
    const next = start + view.getUint32(at + SPEC.next, true)
    if (next < at + SPEC_BYTES) throw unexpected(`target ${index + 1} begins at byte ${next}, before ${at}`)
    at = next
  }
  return lines.map((line) => `${line}\n`).join('')
}

function decodeTarget(bytes: Uint8Array<ArrayBuffer>): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const sectorStart = view.getBigUint64(SPEC.sectorStart, true)
  const length = view.getBigUint64(SPEC.length, true)
  const type = textOf(bytes.subarray(SPEC.type, SPEC.type + TYPE_BYTES))
  return `${sectorStart} ${length} ${type} ${textOf(bytes.subarray(SPEC_BYTES))}`.trimEnd()
}

/** Up to its ending zero, which the kernel always writes. */
function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  if (end === -1) throw unexpected('a text without an end')
  return Buffer.from(bytes.subarray(0, end)).toString()
}

function unexpected(found: string): RangeError {
  return new RangeError(`device-mapper answers with ${found}`)
}
