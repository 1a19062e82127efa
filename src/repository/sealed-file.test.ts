import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'

import { withOneByteFlipped } from '../../test/support/flip-bytes.ts'
import { encodeFileHeader, FILE_HEADER_SIZE, parseFileHeader } from './file-header.ts'
import { deriveRepositoryKeys } from './keys.ts'
import { Magic } from './magic.ts'
import { fileIdOf, openFile, sealFile, type SealingContext } from './sealed-file.ts'

const repositoryId = '0123456789abcdef0123456789abcdef'
const keys = deriveRepositoryKeys(randomBytes(32))
const body = Buffer.from('what is in the file')
const magic = Magic.RecoveryPoint

function seal(context: SealingContext): { magic: Magic; id: string; bytes: Uint8Array } {
  const bytes = sealFile(context, { magic, salt: randomBytes(32), body })
  return { magic, id: fileIdOf(bytes), bytes }
}

for (const context of [
  { repositoryId, keys },
  { repositoryId, keys: null },
]) {
  const kind = context.keys === null ? 'plain' : 'sealed'

  test(`openFile() undoes sealFile(), ${kind}`, () => {
    assert.deepEqual(Buffer.from(openFile(context, seal(context))), body)
  })

  test(`openFile() refuses every flipped byte and every other length, ${kind}`, () => {
    const file = seal(context)
    for (const { flipped } of withOneByteFlipped(file.bytes)) {
      assert.throws(() => openFile(context, { ...file, bytes: flipped }), SyntaxError)
    }
    for (let length = 0; length < file.bytes.byteLength; length += 1) {
      assert.throws(() => openFile(context, { ...file, bytes: file.bytes.subarray(0, length) }), SyntaxError)
    }
  })

  test(`openFile() refuses a file of another kind, repository, name or sealing, ${kind}`, () => {
    const file = seal(context)
    assert.throws(() => openFile(context, { ...file, magic: Magic.IndexSegment }), /magic/)
    assert.throws(() => openFile({ ...context, repositoryId: 'f'.repeat(32) }, file), /belongs to repository/)
    assert.throws(() => openFile(context, { ...file, id: seal(context).id }), /SHA-256/)
    const other = { repositoryId, keys: context.keys === null ? keys : null }
    assert.throws(() => openFile(other, file), /sealed/)
  })
}

test('openFile() refuses flipped bytes also when the name was made to fit, in an encrypted repository', () => {
  const context = { repositoryId, keys }
  for (const { flipped } of withOneByteFlipped(seal(context).bytes)) {
    assert.throws(() => openFile(context, { magic, id: fileIdOf(flipped), bytes: flipped }), SyntaxError)
  }
})

test('openFile() refuses another key', () => {
  const file = seal({ repositoryId, keys })
  const other = deriveRepositoryKeys(randomBytes(32))
  assert.throws(() => openFile({ repositoryId, keys: other }, file), /authentication failed/)
})

test('parseFileHeader() undoes encodeFileHeader(), and refuses all but its flag and its salt changed', () => {
  const header = { magic: Magic.Pack, encrypted: true, repositoryId, salt: new Uint8Array(randomBytes(32)) }
  const bytes = encodeFileHeader(header)
  const expected = { magic: Magic.Pack, repositoryId }
  assert.deepEqual(parseFileHeader(bytes, expected), header)
  for (const { at, flipped } of withOneByteFlipped(bytes)) {
    const isFlag = at === 12 && (flipped[at] ?? 0) < 2
    if (at >= 32 || isFlag) assert.doesNotThrow(() => parseFileHeader(flipped, expected))
    else assert.throws(() => parseFileHeader(flipped, expected), SyntaxError, `byte ${at}`)
  }
  assert.throws(() => parseFileHeader(bytes.subarray(0, FILE_HEADER_SIZE - 1), expected), SyntaxError)
})
