import * as v from 'valibot'
import { endOf, type Range } from '../../domain/range.ts'

/** What was left out of the objects of a point because it was proven free, by their names: ascending, not overlapping. */
export type LeftOut = ReadonlyMap<string, readonly Range[]>

/** 16 MB. */
export const RANGES_MAX = 1_000_000
const OBJECTS_MAX = 4096
const LENGTH_BYTES = 4
const RANGE_BYTES = 16

const headSchema = v.strictObject({
  pointId: v.string(),
  objects: v.pipe(
    v.array(
      v.strictObject({
        name: v.string(),
        rangeCount: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(RANGES_MAX)),
      }),
    ),
    v.maxLength(OBJECTS_MAX),
  ),
})

/** docs/formats/left-out.md */
export function encodeLeftOut(pointId: string, leftOut: LeftOut): Uint8Array {
  const objects = [...leftOut].map(([name, ranges]) => ({ name, rangeCount: ranges.length }))
  const headBytes = Buffer.from(JSON.stringify({ pointId, objects }))
  const ranges = [...leftOut.values()].flat()
  const bytes = new Uint8Array(LENGTH_BYTES + headBytes.byteLength + ranges.length * RANGE_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, headBytes.byteLength, true)
  bytes.set(headBytes, LENGTH_BYTES)
  let at = LENGTH_BYTES + headBytes.byteLength
  for (const { offset, length } of ranges) {
    view.setFloat64(at, offset, true)
    view.setFloat64(at + 8, length, true)
    at += RANGE_BYTES
  }
  return bytes
}

/** Throws SyntaxError for what `encodeLeftOut` never made of that point. */
export function decodeLeftOut(pointId: string, bytes: Uint8Array): LeftOut {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const headEnd = bytes.byteLength < LENGTH_BYTES ? Infinity : LENGTH_BYTES + view.getUint32(0, true)
  if (headEnd > bytes.byteLength) throw new SyntaxError('it ends before its list of objects does')
  const head = parseHead(bytes.subarray(LENGTH_BYTES, headEnd))
  if (head.pointId !== pointId) throw new SyntaxError(`it is of point ${head.pointId}, not of ${pointId}`)
  const rangeCount = head.objects.reduce((sum, object) => sum + object.rangeCount, 0)
  const expectedBytes = headEnd + rangeCount * RANGE_BYTES
  if (bytes.byteLength !== expectedBytes)
    throw new SyntaxError(`it has ${bytes.byteLength} bytes, required are ${expectedBytes}`)
  const leftOut = new Map<string, readonly Range[]>()
  let at = headEnd
  for (const object of head.objects) {
    leftOut.set(object.name, readRanges(view, at, object.rangeCount))
    at += object.rangeCount * RANGE_BYTES
  }
  return leftOut
}

function parseHead(bytes: Uint8Array): v.InferOutput<typeof headSchema> {
  const parsed = v.safeParse(headSchema, JSON.parse(Buffer.from(bytes).toString()))
  if (!parsed.success) throw new SyntaxError('its list of objects is none')
  return parsed.output
}

function readRanges(view: DataView, start: number, count: number): Range[] {
  const ranges: Range[] = []
  let before = 0
  for (let at = start; at < start + count * RANGE_BYTES; at += RANGE_BYTES) {
    const range = { offset: view.getFloat64(at, true), length: view.getFloat64(at + 8, true) }
    const isSound =
      Number.isSafeInteger(range.offset) &&
      Number.isSafeInteger(endOf(range)) &&
      range.length > 0 &&
      range.offset >= before
    if (!isSound) throw new SyntaxError(`its range ${range.offset}+${range.length} is none`)
    before = endOf(range)
    ranges.push(range)
  }
  return ranges
}
