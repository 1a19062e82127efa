import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkCacheFolder } from './cache-folder-check.ts'
import type { Finding } from './finding.ts'
import { checkHeldImages, type HeldFacts } from './held-images-check.ts'
import { checkKernel } from './kernel-check.ts'
import { checkLvmTools } from './lvm-tools-check.ts'
import { checkNative } from './native-check.ts'
import { checkPasswordSource } from './password-source-check.ts'
import { checkPrivileges } from './privileges-check.ts'
import { checkRepositoryFacts } from './repository-check.ts'
import { checkWatchdog } from './watchdog-check.ts'

const DAY_MS = 86_400_000

function verdicts(findings: readonly Finding[]): readonly string[] {
  return findings.map(({ verdict }) => verdict)
}

test('checkPrivileges() names the capabilities that are missing', () => {
  const all = 0x1ff_feff_ffffn
  assert.equal(checkPrivileges({ userId: 0, capabilities: all }, 'all').verdict, 'ok')
  const withoutAdmin = checkPrivileges({ userId: 0, capabilities: all & ~(1n << 21n) }, 'all')
  assert.equal(withoutAdmin.verdict, 'wrong')
  assert.equal(withoutAdmin.stops, 'source')
  assert.match(withoutAdmin.sentence, /root, without CAP_SYS_ADMIN:/)
  const ordinary = checkPrivileges({ userId: 1000, capabilities: 0n }, 'own')
  assert.equal(ordinary.verdict, 'warning')
  assert.match(ordinary.sentence, /user 1000, without CAP_DAC_READ_SEARCH and CAP_SYS_ADMIN:/)
  // Who may pass by every mode may also read.
  assert.equal(checkPrivileges({ userId: 0, capabilities: (1n << 1n) | (1n << 21n) }, 'all').verdict, 'ok')
  assert.equal(checkPrivileges({ userId: 0, capabilities: null }, 'all').verdict, 'unknown')
})

test('checkLvmTools() compares versions as numbers', () => {
  const dmsetup = { kind: 'version', text: '1.02.185' } as const
  const verdictOf = (text: string): string =>
    checkLvmTools({ lvm: { kind: 'version', text }, dmsetup }).verdict
  assert.equal(verdictOf('2.03.16(2)'), 'ok')
  assert.equal(verdictOf('2.02.158(2)'), 'ok')
  assert.equal(verdictOf('2.02.98(2)'), 'warning')
  assert.equal(verdictOf('2.02.99'), 'warning')
  assert.equal(verdictOf('3.00.00'), 'ok')
  assert.equal(verdictOf('of tomorrow'), 'unknown')
  const missing = checkLvmTools({ lvm: { kind: 'missing' }, dmsetup: { kind: 'missing' } })
  assert.match(missing.sentence, /lvm2 and dmsetup/)
  const silent = checkLvmTools({ lvm: { kind: 'silent', reason: 'it was killed' }, dmsetup })
  assert.deepEqual([silent.verdict, /it was killed/.test(silent.sentence)], ['unknown', true])
})

test('checkKernel() tells what is missing from what nobody can tell', () => {
  const facts = {
    release: '6.1',
    deviceMapper: 'present',
    thin: 'present',
    snapshot: 'loadable',
    cloningFileSystems: ['xfs'],
  } as const
  assert.deepEqual(verdicts(checkKernel(facts)), ['ok', 'ok'])
  assert.deepEqual(verdicts(checkKernel({ ...facts, thin: null })), ['unknown', 'ok'])
  assert.deepEqual(verdicts(checkKernel({ ...facts, thin: 'absent', cloningFileSystems: [] })), [
    'warning',
    'warning',
  ])
  assert.match(checkKernel({ ...facts, thin: 'absent' })[0]?.sentence ?? '', /no dm-thin-pool:/)
  assert.match(checkKernel({ ...facts, deviceMapper: 'absent' })[0]?.sentence ?? '', /no device-mapper/)
})

test('checkWatchdog() and checkNative() say why there is none', () => {
  assert.equal(checkWatchdog({ failure: null, canFreeze: true }).verdict, 'ok')
  assert.equal(checkWatchdog({ failure: null, canFreeze: false }).verdict, 'wrong')
  assert.match(checkWatchdog({ failure: 'no memory', canFreeze: false }).sentence, /no memory$/)
  const native = { nodeVersion: '26.0.0', libraryAbsence: null, codecAbsence: null }
  assert.equal(checkNative(native).verdict, 'ok')
  const off = checkNative({ ...native, libraryAbsence: 'switched off by ICECORE_NATIVE=off' })
  assert.match(off.advice ?? '', /ICECORE_NATIVE=off/)
  assert.equal(checkNative({ ...native, codecAbsence: 'no zstd' }).verdict, 'warning')
})

test('checkHeldImages() warns of what nobody will use, with what it costs', () => {
  const image: HeldFacts = {
    label: 'vg0/icecore-1',
    source: '/dev/vg0/home',
    ageMs: DAY_MS,
    isAbandoned: false,
    isBase: true,
    heldBytes: 1024 ** 3,
    roomBytes: 2 * 1024 ** 3,
  }
  assert.match(checkHeldImages([])[0]?.sentence ?? '', /^No frozen image is held/)
  assert.match(checkHeldImages([image])[0]?.sentence ?? '', /^One frozen image is held here, 1.00 GiB/)
  const old = checkHeldImages([image, { ...image, label: 'vg0/icecore-2', ageMs: 20 * DAY_MS }])
  assert.equal(old.length, 1)
  assert.match(old[0]?.sentence ?? '', /icecore-2 .* since 20 d 0 h, and keeps 1.00 GiB .* 2.00 GiB are left/)
  // A run may take long; one that was killed never ends.
  assert.equal(checkHeldImages([{ ...image, isBase: false, ageMs: 20 * DAY_MS }])[0]?.verdict, 'ok')
  assert.equal(checkHeldImages([{ ...image, isBase: false, isAbandoned: true }])[0]?.verdict, 'warning')
  assert.equal(checkHeldImages([], 'LVM failed')[0]?.verdict, 'unknown')
})

test('checkPasswordSource() never says well of what others can read, or of what is not there', () => {
  const file = { kind: 'file', origin: 'ICECORE_PASSWORD_FILE', path: '/k' } as const
  assert.equal(checkPasswordSource({ ...file, state: { mode: 0o600 } }).verdict, 'ok')
  assert.equal(checkPasswordSource({ ...file, state: { mode: 0o640 } }).verdict, 'warning')
  assert.equal(checkPasswordSource({ ...file, state: { failure: 'it does not exist' } }).verdict, 'wrong')
  assert.equal(checkPasswordSource({ kind: 'none' }).verdict, 'unknown')
  assert.equal(checkPasswordSource({ kind: 'text', origin: 'ICECORE_PASSWORD' }).verdict, 'warning')
  const command = { kind: 'command', origin: 'passwordCommand', program: 'pass' } as const
  assert.equal(checkPasswordSource({ ...command, isThere: true }).verdict, 'ok')
  assert.match(checkPasswordSource({ ...command, isThere: false }).sentence, /"pass", which is not there/)
})

test('checkRepositoryFacts() and checkCacheFolder() warn when room gets short', () => {
  const usable = {
    kind: 'usable',
    path: '/backup',
    encryption: 'aes-256-gcm',
    passwordFailure: null,
    writeFailure: null,
    freeBytes: 10,
    sizeBytes: 100,
  } as const
  assert.deepEqual(verdicts(checkRepositoryFacts(usable)), ['ok', 'ok'])
  assert.deepEqual(verdicts(checkRepositoryFacts({ ...usable, freeBytes: 4 })), ['ok', 'warning'])
  assert.deepEqual(verdicts(checkRepositoryFacts({ ...usable, freeBytes: null })), ['ok', 'unknown'])
  assert.deepEqual(verdicts(checkRepositoryFacts({ ...usable, writeFailure: 'it is read-only' })), ['wrong'])
  assert.equal(checkRepositoryFacts({ ...usable, passwordFailure: 'Wrong' })[0]?.stops, 'repository')
  assert.deepEqual(verdicts(checkRepositoryFacts({ kind: 'not-named' })), ['unknown'])
  assert.equal(checkRepositoryFacts({ kind: 'unusable', reason: 'It is gone' })[0]?.sentence, 'It is gone')
  assert.equal(checkCacheFolder({ path: '/c', failure: null, freeBytes: 2 ** 40 }).verdict, 'ok')
  assert.equal(checkCacheFolder({ path: '/c', failure: null, freeBytes: 2 ** 20 }).verdict, 'warning')
  assert.equal(checkCacheFolder({ path: '/c', failure: 'no', freeBytes: null }).verdict, 'warning')
})
