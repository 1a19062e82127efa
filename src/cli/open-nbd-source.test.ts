import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  acknowledged,
  chunk,
  exportInfo,
  optionReply,
  startScriptedNbd,
  u16,
  u32,
  type NbdRequest,
} from '../../test/support/scripted-nbd-server.ts'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { ErrorCode } from '../domain/backup-error.ts'
import type { Range } from '../domain/range.ts'
import { NO_TLS_FILES } from '../lane/nbd-tls.ts'
import { NbdOption } from '../nbd/handshake-format.ts'
import { ChunkType } from '../nbd/transmission-format.ts'
import { openNbdSource } from './open-nbd-source.ts'

const SIZE = 1024 * 1024
const MULTI_CONN = 1 | (1 << 8)
const [BASE, BITMAP] = [7, 8]
const ERROR = 0x8001
const EIO = 5
const signal = new AbortController().signal

type Answer = (request: NbdRequest) => readonly Uint8Array[]

/** What a server says that serves bitmap `since` and answers questions in this way; and how often it was asked. */
async function changesOf(
  answer: Answer,
): Promise<{ readonly lists: Range[][]; readonly askedCount: number }> {
  using folder = temporaryFolder()
  let askedCount = 0
  await using server = await startScriptedNbd(folder, {
    sizeBytes: SIZE,
    onOption: (option) => {
      if (option === NbdOption.Go)
        return [optionReply(option, 3, exportInfo(SIZE, MULTI_CONN)), acknowledged(option)]
      if (option !== NbdOption.SetMetaContext) return undefined
      const granted = [
        [BASE, 'base:allocation'],
        [BITMAP, 'qemu:dirty-bitmap:since'],
      ] as const
      return [
        ...granted.map(([id, name]) => optionReply(option, 4, Buffer.concat([u32(id), Buffer.from(name)]))),
        acknowledged(option),
      ]
    },
    onRequest: (request) => {
      askedCount += 1
      return answer(request)
    },
  })
  const options = { tlsFiles: NO_TLS_FILES, bitmap: 'since', signal }
  await using source = await openNbdSource(server.uri, options)
  assert(source.servedChanges !== undefined)
  const ranges = await source.servedChanges(signal)
  const lists: Range[][] = []
  for (let walk = 0; walk < 2; walk += 1) {
    const list: Range[] = []
    for await (const batch of ranges()) list.push(...batch)
    lists.push(list)
  }
  return { lists, askedCount }
}

function status(
  cookie: number,
  context: number,
  extents: readonly (readonly [number, number])[],
): Uint8Array {
  const payload = Buffer.concat([
    u32(context),
    ...extents.flatMap(([length, flags]) => [u32(length), u32(flags)]),
  ])
  return chunk({ cookie, type: ChunkType.BlockStatus, isLast: context === BITMAP, payload })
}

const FIRST_HALF: Answer = ({ cookie }) => [
  status(cookie, BASE, [[SIZE, 0]]),
  status(cookie, BITMAP, [
    [4096, 1],
    [SIZE / 2 - 4096, 0],
  ]),
]

test('servedChanges() takes all of what the bitmap names, once', async () => {
  const { lists, askedCount } = await changesOf((request) =>
    request.offset === 0
      ? FIRST_HALF(request)
      : [status(request.cookie, BASE, [[SIZE / 2, 0]]), status(request.cookie, BITMAP, [[SIZE / 2, 4]])],
  )
  const list = [
    { offset: 0, length: 4096 },
    { offset: SIZE / 2, length: SIZE / 2 },
  ]
  assert.deepEqual(lists, [list, list])
  assert.equal(askedCount, 2)
})

const ENDS: readonly (readonly [string, ErrorCode, Answer])[] = [
  [
    'an error',
    ErrorCode.ChangesUnknown,
    ({ cookie }) => [chunk({ cookie, type: ERROR, payload: Buffer.concat([u32(EIO), u16(0)]) })],
  ],
  [
    'nothing of the bitmap',
    ErrorCode.ProtocolWrong,
    ({ cookie }) => [chunk({ cookie, type: ChunkType.None })],
  ],
  [
    'no more',
    ErrorCode.ConnectionFailed,
    () => {
      throw new Error('the server ends')
    },
  ],
]

for (const [what, code, answer] of ENDS) {
  test(`servedChanges() gives no list of a server that says ${what} after a part of it`, async () => {
    const changes = changesOf((request) => (request.offset === 0 ? FIRST_HALF(request) : answer(request)))
    await assert.rejects(changes, { code })
  })
}
