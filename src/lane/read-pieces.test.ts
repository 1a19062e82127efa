import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { addPlace, MASK_SIZE } from '../mover/leaf-mask.ts'
import { PLACES } from '../repository/tree-node.ts'
import { readPieces } from './read-pieces.ts'

test('readPieces() covers the places to read, each once, in pieces that fit, up to the end of the image', () => {
  const places = fc.uniqueArray(fc.nat(PLACES - 1), { maxLength: PLACES })
  const chunkSizes = fc.constantFrom(1024, 65_536, 4 * 1024 * 1024)
  const property = fc.property(places, chunkSizes, fc.nat(3 * PLACES), (list, chunkSizeBytes, chunks) => {
    const leafIndex = 1
    const sizeBytes = PLACES * chunkSizeBytes + chunks * chunkSizeBytes - 7
    const read = new Uint8Array(MASK_SIZE)
    for (const place of list) addPlace(read, place)
    const pieceSizeBytesMax = Math.max(1024 * 1024, chunkSizeBytes)
    const pieces = readPieces({ leafIndex, read }, { chunkSizeBytes, pieceSizeBytesMax, sizeBytes })
    const found: number[] = []
    for (const { firstPlace, placeCount, offset, length } of pieces) {
      assert.equal(offset, (PLACES * leafIndex + firstPlace) * chunkSizeBytes)
      assert.ok(placeCount * chunkSizeBytes <= pieceSizeBytesMax)
      assert.equal(length, Math.min(placeCount * chunkSizeBytes, sizeBytes - offset))
      for (let index = 0; index < placeCount; index += 1) found.push(firstPlace + index)
    }
    const within = list.filter((place) => (PLACES * leafIndex + place) * chunkSizeBytes < sizeBytes)
    const beyond = found.filter((place) => !within.includes(place))
    assert.ok(
      beyond.every((place) => list.includes(place)),
      'only in a run that ends beyond the image',
    )
    assert.deepEqual(
      found.filter((place) => within.includes(place)),
      within.toSorted((a, b) => a - b),
    )
  })
  fc.assert(property)
})
