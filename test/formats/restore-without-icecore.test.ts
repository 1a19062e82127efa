import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { globSync, openSync, closeSync, readFileSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { runIcecore } from '../support/run-icecore.ts'
import { noiseBytes, textBytes } from '../support/sample-files.ts'
import { sha256File } from '../support/sha256-file.ts'
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.ts'

const READER = fileURLToPath(new URL('../../tools/reader/restore-without-icecore.mjs', import.meta.url))
const PASSWORD = 'p\u00e4ssword: not NFC \u0061\u0308'
/** More chunks than one leaf has, and a last one that is cut short. */
const SIZE_BYTES = 40_000_000

type Made = {
  readonly folder: TemporaryFolder
  readonly repository: string
  readonly cache: string
  readonly recoveryKey: string
  /** SHA-256 of the image at each point, the oldest first. */
  readonly digests: readonly string[]
}

/** A repository with two points, made by the program itself. */
async function makeRepository(folder: TemporaryFolder, words: readonly string[]): Promise<Made> {
  const repository = folder.join('repository')
  const recoveryFile = folder.join('recovery-key')
  const image = folder.join('disk.img')
  const cache = folder.join('cache')
  const init = words.includes('--no-encryption') ? [] : ['--recovery-key-file', recoveryFile]
  const environment = { ...(init.length === 0 ? {} : { ICECORE_PASSWORD: PASSWORD }), XDG_CACHE_HOME: cache }
  await run(environment, ['init', repository, ...words, ...init])
  writeFileSync(image, textBytes('first', 300_000))
  truncateSync(image, SIZE_BYTES)
  writeAt(image, noiseBytes('noise', 700_001), SIZE_BYTES - 700_001)
  const first = await sha256File(image)
  await run(environment, ['backup', image, '-r', repository, '--name', 'disk'])
  writeAt(image, textBytes('second', 100_000), 20_000_000)
  await run(environment, ['backup', image, '-r', repository, '--name', 'disk'])
  const recoveryKey = init.length === 0 ? '' : readFileSync(recoveryFile, 'utf8')
  return { folder, repository, cache, recoveryKey, digests: [first, await sha256File(image)] }
}

async function run(environment: Readonly<Record<string, string>>, words: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await runIcecore(words, { environment })
  assert.equal(exitCode, 0, stderr)
}

function writeAt(path: string, bytes: Uint8Array, offset: number): void {
  const file = openSync(path, 'r+')
  writeSync(file, bytes, 0, bytes.byteLength, offset)
  closeSync(file)
}

function read(words: readonly string[], secret: string): { status: number | null; output: string } {
  const env = { ICECORE_PASSWORD: secret }
  const { status, stdout, stderr } = spawnSync(process.execPath, [READER, ...words], {
    env,
    encoding: 'utf8',
  })
  return { status, output: `${stdout}${stderr}` }
}

async function requireBothPoints(made: Made, secret: string): Promise<void> {
  const list = read([made.repository], secret)
  assert.equal(list.status, 0, list.output)
  const ids = list.output
    .trim()
    .split('\n')
    .map((line) => line.slice(0, 12))
  assert.equal(ids.length, 2)
  for (const [index, id] of ids.entries()) {
    const target = made.folder.join(`restored ${index} ${secret.slice(0, 7)}`)
    const restored = read([made.repository, id, target], secret)
    assert.equal(restored.status, 0, restored.output)
    assert.equal(await sha256File(target), made.digests[index])
  }
}

test('restore-without-icecore restores both points with the password and with the recovery key', async () => {
  using folder = temporaryFolder()
  const made = await makeRepository(folder, ['--chunk-size', '64KiB'])
  await requireBothPoints(made, PASSWORD)
  await requireBothPoints(made, made.recoveryKey)
})

test('restore-without-icecore restores both points of a repository that is not encrypted', async () => {
  using folder = temporaryFolder()
  const made = await makeRepository(folder, ['--no-encryption', '--chunk-size', '16KiB'])
  await requireBothPoints(made, '')
})

test('restore-without-icecore refuses a wrong password and a chunk that was changed', async () => {
  using folder = temporaryFolder()
  const made = await makeRepository(folder, ['--chunk-size', '128KiB'])
  const wrong = read([made.repository], 'wrong')
  assert.equal(wrong.status, 1)
  assert.match(wrong.output, /the password opens none of the key slots/)
  for (const name of globSync('packs/*/*', { cwd: made.repository })) {
    const path = `${made.repository}/${name}`
    const bytes = readFileSync(path)
    writeAt(path, Uint8Array.of((bytes[70] ?? 0) ^ 1), 70)
  }
  const damaged = read([made.repository, 'latest', folder.join('restored')], PASSWORD)
  assert.equal(damaged.status, 1)
  assert.match(damaged.output, /cannot be read/)
})

test('restore-without-icecore imports nothing but Node.js and is short enough to be read', () => {
  const text = readFileSync(READER, 'utf8')
  const imported = [...text.matchAll(/\bfrom '([^']+)'|\bimport\(/g)].map((match) => match[1])
  assert.deepEqual(
    imported.filter((name) => name?.startsWith('node:') !== true),
    [],
  )
  assert.ok(text.split('\n').length <= 300)
})
