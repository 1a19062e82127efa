import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeTargetLines } from './target-status.ts'

const HEADER_BYTES = 312
const SPEC_BYTES = 40

type Target = {
  readonly start: number
  readonly length: number
  readonly type: string
  readonly text: string
}

/** As the kernel lays out its answer: specs followed by texts, each padded to 8 bytes. */
function answer(targets: readonly Target[], spareBytes = 64): Uint8Array<ArrayBuffer> {
  const lengths = targets.map(({ text }) => Math.ceil((SPEC_BYTES + text.length + 1) / 8) * 8)
  const size = HEADER_BYTES + lengths.reduce((sum, length) => sum + length, 0)
  const bytes = new Uint8Array(size + spareBytes)
  const view = new DataView(bytes.buffer)
  view.setUint32(12, size, true)
  view.setUint32(16, HEADER_BYTES, true)
  view.setUint32(20, targets.length, true)
  let at = HEADER_BYTES
  for (const [index, { start, length, type, text }] of targets.entries()) {
    view.setBigUint64(at, BigInt(start), true)
    view.setBigUint64(at + 8, BigInt(length), true)
    const next = at + (lengths[index] ?? 0)
    view.setUint32(at + 20, next - HEADER_BYTES, true)
    bytes.set(Buffer.from(type), at + 24)
    bytes.set(Buffer.from(text), at + SPEC_BYTES)
    at = next
  }
  return bytes
}

const LINEAR: Target = { start: 0, length: 8, type: 'linear', text: '8:0 2048' }

test('decodeTargetLines() gives the lines that the program prints', () => {
  const second = { start: 8, length: 2 ** 33, type: 'snapshot-origin', text: '254:1' }
  assert.equal(decodeTargetLines(answer([LINEAR])), '0 8 linear 8:0 2048\n')
  assert.equal(
    decodeTargetLines(answer([LINEAR, second])),
    '0 8 linear 8:0 2048\n8 8589934592 snapshot-origin 254:1\n',
  )
  assert.equal(decodeTargetLines(answer([{ ...LINEAR, type: 'error', text: '' }])), '0 8 error\n')
  assert.equal(decodeTargetLines(answer([])), '')
})

test('decodeTargetLines() refuses what lies outside, does not end, or goes back', () => {
  const damages: Readonly<Record<string, (view: DataView) => void>> = {
    'more than there is': (view) => view.setUint32(12, 2 ** 20, true),
    'data in the header': (view) => view.setUint32(16, 8, true),
    'too many targets': (view) => view.setUint32(20, 2 ** 31, true),
    'a target that is not there': (view) => view.setUint32(20, 3, true),
    'a target before its predecessor': (view) => view.setUint32(HEADER_BYTES + 20, 0, true),
    'a target behind the end': (view) => view.setUint32(HEADER_BYTES + 20, 2 ** 31, true),
    'a type without an end': (view) => {
      for (let at = 24; at < 40; at += 1) view.setUint8(HEADER_BYTES + at, 0x78)
    },
    'a text without an end': (view) => view.setUint32(12, HEADER_BYTES + SPEC_BYTES + 4, true),
  }
  for (const [what, damage] of Object.entries(damages)) {
    const bytes = answer([LINEAR, LINEAR])
    damage(new DataView(bytes.buffer))
    assert.throws(() => decodeTargetLines(bytes), RangeError, what)
  }
})
