import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { DirectoryEntry } from '../file-system.ts'
import { showAcl } from './acl.ts'
import { parseAttributeEntries } from './attribute-entries.ts'
import { attributeHash } from './attribute-hash.ts'
import { parseDeviceNumber } from './device-number.ts'
import { parseDirectoryBlock } from './directory-block.ts'
import { parseExtentNode } from './extent-node.ts'
import { parseInodeTime } from './inode-time.ts'

const PLACE = { structure: 'a structure', offsetBytes: 4096 }

test('parseInodeTime() reads times from 1901 to 2446', () => {
  assert.deepEqual(parseInodeTime(0x80000000, 0), { seconds: -(2 ** 31), nanoseconds: 0 })
  assert.deepEqual(parseInodeTime(0xffffffff, 4), { seconds: -1, nanoseconds: 1 })
  assert.deepEqual(parseInodeTime(0x80000000, 1), { seconds: 2 ** 31, nanoseconds: 0 })
  assert.deepEqual(parseInodeTime(0x7fffffff, 0xee6b27ff), {
    seconds: 3 * 2 ** 32 + 2 ** 31 - 1,
    nanoseconds: 999_999_999,
  })
})

test('parseInodeTime() keeps nanoseconds within a second', () => {
  assert.equal(parseInodeTime(0, 0xfffffffc).nanoseconds, 999_999_999)
})

test('parseDeviceNumber() reads the old form and the new one', () => {
  assert.deepEqual(parseDeviceNumber(words(0x0811, 0)), { major: 8, minor: 17 })
  assert.deepEqual(parseDeviceNumber(words(0, 0xfff_fff_ff)), { major: 4095, minor: 1_048_575 })
})

test('showAcl() adds the ids that are not stored', () => {
  const stored = bytes('01000000 01000700 02000600e8030000 04000500 10000700 20000000')
  const shown = bytes(
    '02000000 01000700ffffffff 02000600e8030000 04000500ffffffff 10000700ffffffff 20000000ffffffff',
  )
  assert.deepEqual(showAcl(stored, PLACE), shown)
})

test('showAcl() refuses another version, an unknown tag and an entry that is cut off', () => {
  assert.throws(() => showAcl(bytes('02000000'), PLACE), /version of its ACL is 2, expected 1/)
  assert.throws(() => showAcl(bytes(''), PLACE), /version of its ACL is null/)
  assert.throws(() => showAcl(bytes('01000000 03000700'), PLACE), /has tag 3 at byte 4/)
  assert.throws(() => showAcl(bytes('01000000 02000700'), PLACE), /has tag 2 at byte 4/)
})

test('attributeHash() differs for names beyond ASCII by what a byte is', () => {
  const name = new TextEncoder().encode('é')
  assert.notEqual(
    attributeHash(name, new Uint8Array(0), 'signed'),
    attributeHash(name, new Uint8Array(0), 'unsigned'),
  )
})

test('parseAttributeEntries() refuses names and values beyond the end', () => {
  const at = { entriesStart: 0, valueBase: 0 }
  assert.deepEqual(parseAttributeEntries(bytes('00000000'), at, PLACE), [])
  const name = bytes('ff01 0000 00000000 00000000 00000000')
  assert.throws(() => parseAttributeEntries(name, at, PLACE), /has a name of 255 bytes/)
  const value = bytes('0001 ffff 00000000 01000000 00000000 00000000')
  assert.throws(() => parseAttributeEntries(value, at, PLACE), /has 1 bytes at byte 65535 of 20/)
})

test('parseExtentNode() refuses another magic, too many entries and too deep a tree', () => {
  const cases: Readonly<Record<string, RegExp>> = {
    '0bf3 0000 0400 0000': /magic is 0xf30b, expected 0xf30a/,
    '0af3 0500 0400 0000': /it has 5 of 4 entries/,
    '0af3 0500 ffff 0000': /it has 5 of 65535 entries, with room for 4/,
    '0af3 0000 0400 0600': /depth is 6, expected at most 5/,
  }
  for (const [start, message] of Object.entries(cases)) {
    const node = new Uint8Array(60)
    node.set(bytes(start))
    assert.throws(() => parseExtentNode(node, PLACE), { name: 'FormatError', message })
  }
})

test('parseDirectoryBlock() refuses records that do not fit', () => {
  const cases = {
    'entry at byte 0 of it has 0 bytes of 24': '0c000000 0000 0161',
    'entry at byte 0 of it has 8 bytes of 24': '0c000000 0800 0161',
    'entry at byte 0 of it has 14 bytes of 24': '0c000000 0e00 0161',
    'entry at byte 0 of it has 28 bytes of 24': '0c000000 1c00 0161',
    'entry at byte 12 of it has 0 bytes of 12': '0c000000 0c00 0161',
    'entry at byte 0 of it has a name of 5 bytes': '0c000000 0c00 0500',
    'entry at byte 0 of it has inode 101': '65000000 1800 0161',
  }
  for (const [found, text] of Object.entries(cases)) {
    const context = { rules: { inodeCount: 100, namesAreEncrypted: false }, place: PLACE }
    const block = new Uint8Array(24)
    block.set(bytes(text))
    assert.throws(() => parseDirectoryBlock(block, [], context), {
      name: 'FormatError',
      message: `Cannot read a structure at byte 4096: ${found}`,
    })
  }
})

test('parseDirectoryBlock() leaves out names that would be a path, and says so', () => {
  const block = bytes(
    '02000000 0c00 0102 2e000000 02000000 0c00 0202 2e2e0000 0c000000 0c00 0301 612f6200 0d000000 0c00 0101 63000000',
  )
  const parse = (namesAreEncrypted: boolean): { names: readonly string[]; odd: readonly unknown[] } => {
    const entries: DirectoryEntry[] = []
    const context = { rules: { inodeCount: 100, namesAreEncrypted }, place: PLACE }
    const odd = parseDirectoryBlock(block, entries, context)
    return { names: entries.map(({ name }) => Buffer.from(name).toString()), odd }
  }
  assert.deepEqual(parse(false), { names: ['c'], odd: [{ offset: 24, what: 'a name with a slash' }] })
  assert.deepEqual(parse(true), { names: ['a/b', 'c'], odd: [] })
})

test('parseDirectoryBlock() reads a record that fills a block of 64 KiB', () => {
  for (const size of ['0000', 'ffff']) {
    const block = new Uint8Array(65536)
    block.set(bytes(`0c000000 ${size} 0101 61`))
    const entries: DirectoryEntry[] = []
    const context = { rules: { inodeCount: 100, namesAreEncrypted: false }, place: PLACE }
    parseDirectoryBlock(block, entries, context)
    assert.deepEqual(entries, [{ name: bytes('61'), inodeNumber: 12 }])
  }
})

function bytes(text: string): Uint8Array {
  return Uint8Array.fromHex(text.replaceAll(' ', ''))
}

function words(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer)
}
