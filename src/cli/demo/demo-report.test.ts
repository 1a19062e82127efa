import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BackedUp, DemoFigures, Restored } from './demo-parts.ts'
import { demoExitCode, demoJson, demoText } from './demo-report.ts'

const BACKUP: BackedUp = {
  report: {
    pointId: 'ab'.repeat(32),
    object: {
      sizeBytes: 1000,
      allocatedBytes: 800,
      freeBytes: 200,
      readBytes: 800,
      zeroBytes: 100,
      changedBytes: 700,
      newChunkCount: 3,
      reusedChunkCount: 4,
      witnesses: null,
    },
    storedBytes: 350,
    done: { mode: 'full' },
    degraded: [],
  },
  durationMs: 1000,
  exitCode: 0,
}
const RESTORE: Restored = {
  pointId: 'ab'.repeat(32),
  durationMs: 500,
  writtenBytes: 700,
  originalSha256: '1'.repeat(64),
  restoredSha256: '1'.repeat(64),
  equal: true,
  zeroedFreeBytes: 0,
  fileSystemClean: true,
}
const FIGURES: DemoFigures = {
  volume: { path: '/day1', sizeBytes: 1000, fileCount: 3, fileBytes: 600 },
  changed: { path: '/day2', addedCount: 1, rewrittenCount: 1, removedCount: 1, ranges: [], rangeBytes: 100 },
  mapped: { usedBytes: 800, freeBytes: 200, durationMs: 10 },
  first: BACKUP,
  second: BACKUP,
  changedFiles: { changeCount: 3, missingCount: 0, durationMs: 50 },
  takenOut: { path: '/a', sizeBytes: 10, equal: true, durationMs: 40 },
  wrongList: {
    ...BACKUP,
    exitCode: 3,
    withheldRangeCount: 1,
    withheldBytes: 90,
    missedChunkCount: 2,
    missProbability: 0.001,
    noticed: true,
    differingBytes: 0,
  },
  firstRestore: RESTORE,
  secondRestore: RESTORE,
  check: {
    report: { ok: true, checkedPackCount: 1, checkedChunkCount: 7, readBytes: 400, problems: [] },
    durationMs: 100,
  },
  repositoryBytes: 500,
  durationMs: 5000,
}

function textOf(figures: DemoFigures): string {
  return demoText(figures, { program: 'icecore', keptFolder: null, paint: (_style, text) => text })
}

test('demoText() says that both points came back, and how the sizes compare', () => {
  assert.equal(demoExitCode(FIGURES), 0)
  assert.match(textOf(FIGURES), /Both points came back bit by bit/)
  assert.match(
    textOf(FIGURES).replaceAll('\n', ' '),
    /700 B of the rest are not zero.* in 350 B, 2\.0 times less/,
  )
})

test('demoExitCode() and demoText() tell a wrong restore, whatever else went well', () => {
  for (const secondRestore of [
    { ...RESTORE, equal: false },
    { ...RESTORE, fileSystemClean: false },
  ]) {
    const figures = { ...FIGURES, secondRestore }
    assert.equal(demoExitCode(figures), 6)
    assert.match(textOf(figures), /Something is WRONG/)
    assert.doesNotMatch(textOf(figures), /Both points came back/)
  }
})

test('demoText() says what came back as zeros because it is free', () => {
  const figures = { ...FIGURES, secondRestore: { ...RESTORE, zeroedFreeBytes: 4096 } }
  assert.equal(demoExitCode(figures), 0)
  assert.match(textOf(figures), /Both points came back in all that is in use/)
})

test('demoExitCode() tells a file that was not found or is not equal', () => {
  const { changedFiles, takenOut } = FIGURES
  assert.equal(demoExitCode({ ...FIGURES, changedFiles: { ...changedFiles, missingCount: 1 } }), 6)
  assert.equal(demoExitCode({ ...FIGURES, takenOut: { ...takenOut, equal: false } }), 6)
})

test('demoExitCode() tells a wrong point of a list that was noticed to be wrong', () => {
  assert.equal(demoExitCode({ ...FIGURES, wrongList: { ...FIGURES.wrongList, differingBytes: 1 } }), 6)
})

test('demoText() says that a wrong list was not noticed', () => {
  const figures = { ...FIGURES, wrongList: { ...FIGURES.wrongList, noticed: false, differingBytes: 90 } }
  assert.equal(demoExitCode(figures), 0)
  assert.match(textOf(figures), /not noticed this time, which happens 1 time in 1,000/)
})

test('demoExitCode() and demoText() tell a degraded run', () => {
  const degraded = [{ code: 'PORTABLE_CODEC', message: 'The fast codec was not used' }]
  const figures = { ...FIGURES, first: { ...BACKUP, report: { ...BACKUP.report, degraded } } }
  assert.equal(demoExitCode(figures), 3)
  assert.match(textOf(figures), /Degraded \(PORTABLE_CODEC\): The fast codec was not used\./)
})

test('demoJson() says whether a restored volume is equal', () => {
  const json = JSON.stringify(demoJson(FIGURES, null))
  assert.match(json, /"folder":null/)
  assert.match(json, /"equal":true/)
  assert.doesNotMatch(json, /"equal":false/)
})
