import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'

import { HOST, LANE, MAY_IMPORT, PROGRAMS } from '../../oxlint.config.ts'
import { checkoutFolder, tableRows, textOf } from './checkout.ts'

const folders = readdirSync(`${checkoutFolder}/src`, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)

/** The rows of ARCHITECTURE.md's layer table: a folder in code type, …, what it may import. */
function layerTable(): ReadonlyMap<string, string> {
  const table = new Map<string, string>()
  for (const cells of tableRows(textOf('ARCHITECTURE.md'))) {
    for (const [, folder] of (cells[0] ?? '').matchAll(/`([a-z]+)\/`/g)) {
      if (folder !== undefined && cells.length === 3) table.set(folder, cells[2] ?? '')
    }
  }
  return table
}

test('every folder of src is in the layer table of ARCHITECTURE.md and in the lint rules', () => {
  const table = layerTable()
  const ruled = [...Object.keys(MAY_IMPORT), LANE, HOST, ...PROGRAMS]
  assert.deepEqual(
    folders.filter((folder) => !table.has(folder)),
    [],
    'not in ARCHITECTURE.md',
  )
  assert.deepEqual(
    folders.filter((folder) => !ruled.includes(folder)),
    [],
    'not in oxlint.config.ts',
  )
})

test('the layer table of ARCHITECTURE.md says what the lint rules hold', () => {
  for (const [folder, text] of layerTable()) {
    const allowed = MAY_IMPORT[folder]
    if (allowed === undefined) continue // A program or the lane: the table says "all but …".
    const words = text.match(/[a-z]+/g) ?? []
    const named = words.filter((word) => MAY_IMPORT[word] !== undefined)
    assert.deepEqual(named.toSorted(), allowed.toSorted(), `${folder}/ may import`)
  }
})
