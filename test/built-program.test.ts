import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { buildProgram } from '../tools/build/build-program.ts'
import { writeExt4Image } from './support/ext4-image.ts'
import { runIcecore } from './support/run-icecore.ts'
import { writeSampleFiles } from './support/sample-files.ts'
import { sha256File } from './support/sha256-file.ts'
import { temporaryFolder } from './support/temporary-folder.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const MIB = 1024 * 1024

test('the built program backs up with hooks, checks, restores and shows files', async () => {
  using folder = temporaryFolder()
  // Below the checkout, where the packages are found that have native code.
  const built = join(ROOT, '.scratch', `built-${process.pid}`)
  try {
    await buildProgram(built)
    const program = join(built, 'icecore.js')
    const environment = {
      HOME: folder.join('home'),
      ICECORE_PASSWORD: 'correct horse battery staple',
    }
    const icecore = async (...words: readonly string[]): Promise<string> => {
      const { exitCode, stdout, stderr } = await runIcecore(words, { program, environment })
      assert.equal(exitCode, 0, stdout + stderr)
      return stdout
    }
    const [repository, image] = [folder.join('repository'), folder.join('image')]
    mkdirSync(folder.join('files'))
    writeSampleFiles(folder.join('files'))
    writeExt4Image(image, { sizeBytes: 64 * MIB, filesFrom: folder.join('files') })
    const settings = folder.join('home', '.config', 'icecore')
    mkdirSync(settings, { recursive: true })
    const hook = { command: ['/bin/sh', '-c', `echo frozen > ${folder.join('hook')}`] }
    writeFileSync(join(settings, 'icecore.yaml'), `hooks: ${JSON.stringify([{ beforeFreeze: [hook] }])}\n`, {
      mode: 0o600,
    })

    await icecore('init', '-r', repository)
    await icecore('backup', image, '-r', repository, '--lanes', '2')
    assert.equal(readFileSync(folder.join('hook'), 'utf8'), 'frozen\n')
    await icecore('check', '-r', repository, '--data')
    await icecore('restore', 'latest', '-r', repository, '--to', folder.join('restored'))
    assert.equal(await sha256File(folder.join('restored')), await sha256File(image))
    assert.match(await icecore('ls', 'latest', '/', '-r', repository), /lost\+found/)
    assert.match(await icecore('map', image), /ext4/)
  } finally {
    rmSync(built, { recursive: true, force: true })
  }
})

test('what is built has every module of the kind that can be joined', async () => {
  using folder = temporaryFolder()
  await buildProgram(folder.join('built'))
  const names = readdirSync(folder.join('built'))
  for (const name of ['icecore.js', 'worker.js', 'serve.js', 'hash-thread.js'])
    assert.ok(names.includes(name), name)
  // What comes from a module of the older kind has no names, and asks for others only when it runs.
  for (const name of names)
    assert.doesNotMatch(readFileSync(folder.join('built', name), 'utf8'), /__commonJS\(|__require\("/, name)
})
