import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { fakeFileSystem } from '../../test/support/fake-file-system.ts'
import { SortedNames } from './sorted-names.ts'

const SIGNAL = new AbortController().signal

test('SortedNames are in the order of their bytes, equal ones as they were added, in any slices', async () => {
  const anyName = fc.oneof(
    fc.string({ minLength: 1, maxLength: 5 }),
    fc.constantFrom('a', 'a\u00ff', 'ab', 'b'),
  )
  const anyNames = fc.oneof(fc.array(anyName), fc.array(anyName, { minLength: 300, maxLength: 600 }))
  await fc.assert(
    fc.asyncProperty(anyNames, fc.integer({ min: 1, max: 700 }), async (texts, length) => {
      const names = texts.map((text) => text.replaceAll('=', '-'))
      const { fileSystem, root } = await fakeFileSystem({
        2: names.map((name, index) => `${name}=${10 + index}`),
      })
      const sorted = new SortedNames()
      await sorted.read(fileSystem, root, SIGNAL)
      assert.equal(sorted.count, names.length)
      const found: { name: Buffer; inodeNumber: number }[] = []
      for (let start = 0; start < sorted.count; start += length) {
        for (const { name, inodeNumber } of sorted.slice(start, start + length)) {
          found.push({ name: Buffer.from(name), inodeNumber })
        }
      }
      const expected = names
        .map((name, index) => ({ name: Buffer.from(name), inodeNumber: 10 + index }))
        .toSorted((a, b) => Buffer.compare(a.name, b.name))
      assert.deepEqual(found, expected)
    }),
  )
})
