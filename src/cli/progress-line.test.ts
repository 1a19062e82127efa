import assert from 'node:assert/strict'
import test from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { fakeTerminal } from '../../test/support/fake-terminal.ts'
import { openProgress } from './progress-display.ts'
import { progressJson } from './progress-json.ts'
import { progressLine } from './progress-line.ts'
import { renderProgress } from './render-progress.ts'

const plain = (_style: string, text: string): string => text
const MIB = 2 ** 20
const STATE = {
  phase: 'Reading disk',
  doneBytes: 512 * MIB,
  totalBytes: 2048 * MIB,
  storedBytes: 100 * MIB,
  bytesPerSecond: 128 * MIB,
}

test('renderProgress() shows phase, bar, share, bytes, rate, time left and what was stored', () => {
  assert.equal(
    renderProgress(STATE, 110, plain),
    'Reading disk  ━━━━━━━━╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌   25%  512 MiB of 2.00 GiB  128 MiB/s  12 s left  100 MiB stored',
  )
})

test('renderProgress() fits every width and leaves out the least telling first', () => {
  for (let width = 0; width <= 120; width += 1) {
    assert.ok(renderProgress(STATE, width, plain).length <= width, `width ${width}`)
  }
  assert.equal(
    renderProgress(STATE, 79, plain),
    'Reading disk  ━━━━╌╌╌╌╌╌╌╌╌╌╌╌   25%  512 MiB of 2.00 GiB  128 MiB/s  12 s left',
  )
  assert.equal(renderProgress(STATE, 45, plain), 'Reading disk   25%  512 MiB of 2.00 GiB')
})

test('renderProgress() does not pretend to know a total', () => {
  const state = { ...STATE, totalBytes: null, storedBytes: undefined }
  assert.equal(renderProgress(state, 80, plain), 'Reading disk  512 MiB  128 MiB/s')
})

test('progressLine() draws at most ten times a second, and clears itself', () => {
  const { terminal, printed } = fakeTerminal(true)
  let nowMs = 0
  {
    using display = progressLine(terminal.messages, () => nowMs)
    display.listener({ event: 'phase', phase: 'Reading', totalBytes: 1000 * MIB })
    for (; nowMs < 2000; nowMs += 1) {
      display.listener({ event: 'bytes', doneBytes: nowMs * MIB * 0.5, totalBytes: 1000 * MIB })
    }
  }
  const drawings = printed.messages.split('\r\u001B[2K')
  assert.ok(drawings.length <= 23, `${drawings.length} drawings`)
  assert.match(stripVTControlCharacters(drawings.at(-2) ?? ''), /9\d% .* 500 MiB\/s {2}1 s left/)
  assert.equal(drawings.at(-1), '')
})

test('progressLine() prints a notice on a line of its own and draws again', () => {
  const { terminal, printed } = fakeTerminal(true, { NO_COLOR: '1' })
  using display = progressLine(terminal.messages, () => 0)
  display.listener({ event: 'phase', phase: 'Reading', totalBytes: null })
  display.listener({ event: 'notice', message: 'The list is wrong' })
  assert.equal(
    printed.messages,
    '\r\u001B[2KReading\r\u001B[2Kicecore: The list is wrong\n\r\u001B[2KReading',
  )
})

test('progressJson() says how far it is ten times a second at most, and never leaves the last word out', () => {
  const { terminal, printed } = fakeTerminal(false)
  let nowMs = 0
  {
    using display = progressJson(terminal.messages, () => nowMs)
    display.listener({ event: 'phase', phase: 'Reading', totalBytes: 1000 })
    for (; nowMs < 1000; nowMs += 1) display.listener({ event: 'bytes', doneBytes: nowMs, totalBytes: 1000 })
    display.listener({ event: 'notice', message: 'Something' })
    display.listener({ event: 'bytes', doneBytes: 1000, totalBytes: 1000 })
  }
  const lines = printed.messages.trim().split('\n')
  assert.ok(lines.length <= 15, printed.messages)
  assert.deepEqual(lines.slice(-3), [
    '{"event":"bytes","doneBytes":999,"totalBytes":1000}',
    '{"event":"notice","message":"Something"}',
    '{"event":"bytes","doneBytes":1000,"totalBytes":1000}',
  ])
})

test('openProgress() writes events as lines of JSON, or only notices where there is no terminal', () => {
  const json = fakeTerminal(false)
  openProgress({ progress: 'json', quiet: false }, json.terminal.messages).listener({
    event: 'phase',
    phase: 'Reading',
    totalBytes: null,
  })
  assert.equal(json.printed.messages, '{"event":"phase","phase":"Reading","totalBytes":null}\n')
  const file = fakeTerminal(false)
  using display = openProgress({ progress: 'auto', quiet: false }, file.terminal.messages)
  display.listener({ event: 'phase', phase: 'Reading', totalBytes: null })
  display.listener({ event: 'notice', message: 'Something' })
  assert.equal(file.printed.messages, 'icecore: Something\n')
})
