import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findProgram } from './find-program.ts'

test('findProgram() finds a tool of the system without a path', () => {
  assert.match(findProgram('mke2fs', undefined) ?? '', /^\/.*\/mke2fs$/)
})

test('findProgram() looks on the path first', () => {
  assert.equal(findProgram('node', `/nowhere:${process.execPath.replace(/\/node$/, '')}`), process.execPath)
})

test('findProgram() gives null for what is not there, and never looks in the current folder', () => {
  assert.equal(findProgram('no-such-program-of-icecore', ':.:relative'), null)
})
