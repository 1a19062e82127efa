import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { ErrorCode, isBackupError } from '../domain/backup-error.ts'
import type { Range } from '../domain/range.ts'
import { parseChangeList } from './change-list.ts'

const about = { name: 'list.json', sizeBytes: 1_000_000 }

async function* piecesOf(pieces: readonly string[]): AsyncGenerator<string> {
  for (const piece of pieces) yield await Promise.resolve(piece)
}

async function rangesOf(pieces: readonly string[], sizeBytes = about.sizeBytes): Promise<Range[]> {
  const list = await parseChangeList(piecesOf(pieces), { ...about, sizeBytes })
  const ranges = (await Array.fromAsync(list.ranges())).flat()
  assert.equal(list.rangeCount, ranges.length)
  assert.equal(
    list.listedBytes,
    ranges.reduce((sum, range) => sum + range.length, 0),
  )
  return ranges
}

async function refused(text: string, expected: RegExp): Promise<void> {
  // Whole, and in pieces of one character: a list means the same however it arrives.
  for (const pieces of [[text], Array.from(text)]) {
    await assert.rejects(
      rangesOf(pieces),
      (error) => {
        assert.ok(isBackupError(error, ErrorCode.ChangeListWrong), `${text.slice(0, 80)}: ${String(error)}`)
        assert.match(error.message, /^Cannot use change list "list\.json": /)
        assert.match(error.message, expected)
        return true
      },
      text.slice(0, 80),
    )
  }
}

test('parseChangeList() reads what rbd diff writes', async () => {
  const text =
    '[{"offset":0,"length":4096,"exists":"true"},{"offset":8192,"length":100,"exists":"false"},' +
    '{"offset":900000,"length":100000,"exists":"true"}]\n'
  assert.deepEqual(await rangesOf([text]), [
    { offset: 0, length: 4096 },
    { offset: 8192, length: 100 },
    { offset: 900_000, length: 100_000 },
  ])
})

test('parseChangeList() takes booleans, other fields, white space and an empty list', async () => {
  const text =
    ' \n[ {"exists": true, "length" : 1, "offset": 5, "note": "x"} ,\n\t{"offset":7,"length":2} ] \n '
  assert.deepEqual(await rangesOf([text]), [
    { offset: 5, length: 1 },
    { offset: 7, length: 2 },
  ])
  for (const empty of ['[]', ' [ ] ', '[\n]\n']) assert.deepEqual(await rangesOf([empty]), [])
})

test('parseChangeList() joins ranges that touch, and forgets those without bytes', async () => {
  const text =
    '[{"offset":0,"length":0},{"offset":10,"length":5},{"offset":15,"length":5},{"offset":20,"length":0},{"offset":21,"length":1}]'
  assert.deepEqual(await rangesOf([text]), [
    { offset: 10, length: 10 },
    { offset: 21, length: 1 },
  ])
  assert.deepEqual(await rangesOf(['[{"offset":0,"length":3},{"offset":3,"length":4}]']), [
    { offset: 0, length: 7 },
  ])
})

test('parseChangeList() may be walked again', async () => {
  const list = await parseChangeList(piecesOf(['[{"offset":1,"length":2}]']), about)
  for (let walk = 0; walk < 2; walk += 1) {
    assert.deepEqual(await Array.fromAsync(list.ranges()), [[{ offset: 1, length: 2 }]])
  }
})

const after100 = (entries: string): string => `[{"offset":100,"length":50},${entries}]`

const lists = fc
  .array(
    fc.tuple(fc.nat(1000), fc.nat(1000), fc.constantFrom('', ',"exists":"true"', ', "exists" : false')),
    {
      maxLength: 40,
    },
  )
  .map((steps) => {
    let at = 0
    return steps.map(([gap, length, exists]) => {
      const entry = { offset: at + gap, length, exists }
      at += gap + length
      return entry
    })
  })
const textOf = (list: readonly { offset: number; length: number; exists: string }[], space: string): string =>
  `${space}[${list.map((one) => `{"offset":${one.offset},${space}"length":${one.length}${one.exists}}${space}`).join(',')}]${space}`

test('parseChangeList() finds the same ranges wherever the text is cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      lists,
      fc.constantFrom('', ' ', '\n'),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 20 }),
      async (list, space, shares) => {
        const text = textOf(list, space)
        const cuts = [0, ...shares.map((share) => Math.floor(share * text.length)), text.length]
        const sorted = cuts.toSorted((a, b) => a - b)
        const pieces = sorted.slice(1).map((cut, index) => text.slice(sorted[index], cut))
        const expected: Range[] = []
        for (const { offset, length } of list) {
          const last = expected.at(-1)
          if (length === 0) continue
          if (last !== undefined && last.offset + last.length === offset) {
            expected[expected.length - 1] = { offset: last.offset, length: last.length + length }
          } else expected.push({ offset, length })
        }
        assert.deepEqual(await rangesOf(pieces), expected)
      },
    ),
    { numRuns: 300 },
  )
})

test('parseChangeList() refuses a list that was cut short anywhere', async () => {
  const text = '[{"offset":0,"length":4096,"exists":"true"},{"offset":8192,"length":100}]'
  for (let length = 0; length < text.length; length += 1) {
    await refused(text.slice(0, length), /not a JSON array|entry/)
  }
})

test('parseChangeList() refuses what is not JSON, or not an array of ranges', async () => {
  for (const text of [
    '',
    ' ',
    'offset length',
    '{"offset":0,"length":1}',
    'null',
    '"[]"',
    '[',
    ']',
    '[]]',
    '[] []',
  ]) {
    await refused(text, /not a JSON array/)
  }
  const one = '{"offset":0,"length":1}'
  const two = '{"offset":5,"length":1}'
  for (const text of [
    `[${one}${two}]`,
    `[${one} ${two}]`,
    `[${one},,${two}]`,
    `[,${one}]`,
    `[${one},]`,
    `[${one}],[${two}]`,
    `[${one}]${two}`,
    `[${one}`,
    `[${one},`,
    `[${one}}]`,
    `[[${one}]]`,
    `[${one},5]`,
    `[{"offset":0,"length":1,}]`,
    `[{'offset':0,'length':1}]`,
    `[{"offset":0x10,"length":1}]`,
    `[{"offset":00,"length":1}]`,
  ]) {
    await refused(text, /not a JSON array|entry 0: expected/)
  }
})

test('parseChangeList() refuses entries that are no ranges', async () => {
  for (const entry of [
    '{}',
    '{"offset":0}',
    '{"length":0}',
    '{"offset":"0","length":"1"}',
    '{"offset":-1,"length":1}',
    '{"offset":0,"length":-1}',
    '{"offset":0.5,"length":1}',
    '{"offset":0,"length":1e400}',
    '{"offset":9007199254740993,"length":1}',
    '{"offset":9007199254740991,"length":9007199254740991}',
    '{"offset":null,"length":1}',
  ]) {
    await refused(`[${entry}]`, /entry 0: expected \{"offset": N, "length": N\}/)
  }
})

test('parseChangeList() refuses ranges out of order, overlapping or beyond the end, and says which and where', async () => {
  await refused(after100('{"offset":0,"length":10}'), /entry 1: it begins at 0, inside or before .* 150/)
  await refused(after100('{"offset":149,"length":10}'), /entry 1: it begins at 149/)
  await refused(after100('{"offset":100,"length":50}'), /entry 1: it begins at 100/)
  await refused(after100('{"offset":200,"length":1},{"offset":150,"length":5}'), /entry 2: it begins at 150/)
  await refused(after100('{"offset":999999,"length":2}'), /entry 1: it ends at 1000001, beyond .* 1000000/)
  await refused(after100('{"offset":2000000,"length":1}'), /entry 1: it ends at 2000001/)
})

test('parseChangeList() does not collect a text without end', async () => {
  let sent = 0
  async function* endless(piece: string): AsyncGenerator<string> {
    for (; sent < 10_000; sent += 1) yield await Promise.resolve(piece)
  }
  for (const piece of ['[', 'x', '[ "', '     '.repeat(10) + '[']) {
    sent = 0
    await assert.rejects(parseChangeList(endless(piece), about), { code: ErrorCode.ChangeListWrong })
    assert.ok(sent < 10_000)
  }
})

test('parseChangeList() holds a million ranges in what they take, and refuses more than it can hold', async () => {
  const sizeBytes = 2 ** 40
  const list = await parseChangeList(many(300_000), { name: 'many', sizeBytes })
  assert.deepEqual([list.rangeCount, list.listedBytes], [300_000, 300_000])
  let last: Range | undefined
  for await (const batch of list.ranges()) {
    assert.ok(batch.length <= 4096)
    last = batch.at(-1)
  }
  assert.deepEqual(last, { offset: 599_998, length: 1 })
  await assert.rejects(parseChangeList(many(4_194_305), { name: 'many', sizeBytes }), {
    code: ErrorCode.ChangeListWrong,
    message: /more than 4194304 separate ranges/,
  })
})

/** As many ranges of one byte each, none touching another. */
async function* many(count: number): AsyncGenerator<string> {
  yield await Promise.resolve('[{"offset":0,"length":1}')
  for (let first = 1; first < count; first += 1000) {
    let piece = ''
    for (let number = first; number < Math.min(count, first + 1000); number += 1) {
      piece += `,{"offset":${number * 2},"length":1}`
    }
    yield piece
  }
  yield ']'
}
