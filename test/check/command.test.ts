import assert from 'node:assert/strict'
import { copyFileSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { mixedBytes } from '../support/mixed-bytes.ts'
import { sha256File } from '../support/sha256-file.ts'
import { temporaryRepository } from '../support/temporary-repository.ts'

const SIZE = 20 * 1024 * 1024

for (const init of [[], ['--no-encryption']]) {
  test(`check finds damage, fences it off, and the next backup heals it ${init.join()}`, async () => {
    using repository = await temporaryRepository({ init })
    const image = repository.folder.join('image')
    writeFileSync(image, mixedBytes('check', SIZE))
    const { pointId } = await repository.backup([image, '--name', 'a'])
    const clean = await repository.run(['check', '--data'])
    assert.equal(clean.exitCode, 0, clean.stderr)
    assert.match(clean.stdout, /^No problem found/)
    assert.deepEqual((await repository.check(['--sample', '30'])).problems, [])

    const pack = largest(repository.files('packs'))
    flip(pack, 70_000)
    assert.equal((await repository.check()).ok, true)
    const withoutKey = await repository.run(['check', '--data', '--no-key'], {
      environment: { ICECORE_PASSWORD: '' },
    })
    assert.equal(withoutKey.exitCode, 6, withoutKey.stderr)
    const { ok, problems } = await repository.check(['--data'])
    assert.equal(ok, false)
    assert.deepEqual(
      problems.map((problem) => [problem.code, problem.points]),
      [['PACK_DAMAGED', [pointId]]],
    )
    assert.equal(repository.files('condemned').length, 1)

    const text = await repository.run(['check', '--data'])
    assert.equal(text.exitCode, 6)
    assert.match(text.stdout, new RegExp(`hurts points ${pointId.slice(0, 12)}`))
    await repository.backup([image, '--name', 'a', '--full-read'])
    const healed = await repository.run(['check', '--data'])
    assert.equal(healed.exitCode, 0, healed.stdout)
    assert.match(healed.stdout, /note: Pack .* is damaged, but it is fenced off and no point needs it/)
    const target = repository.folder.join('restored')
    await repository.restore([pointId, '--to', target])
    assert.equal(await sha256File(target), await sha256File(image))
  })
}

test('check says what it could not fence off, and refuses a damaged configuration and a wrong password', async () => {
  using repository = await temporaryRepository()
  const image = repository.folder.join('image')
  writeFileSync(image, mixedBytes('fence', 2 * 1024 * 1024))
  await repository.backup([image])
  const pack = largest(repository.files('packs'))
  rmSync(pack)
  // A file in the place of a folder: nobody can write there, not even root.
  rmSync(`${repository.path}/temporary`, { recursive: true })
  writeFileSync(`${repository.path}/temporary`, '')
  const found = await repository.run(['check'])
  assert.equal(found.exitCode, 6, found.stderr)
  assert.match(found.stdout, /PACK_MISSING[^]*1 pack could not be fenced off/)

  const wrong = { environment: { ICECORE_PASSWORD: 'wrong' } }
  assert.equal((await repository.run(['check'], wrong)).exitCode, 5)
  const config = `${repository.path}/config`
  copyFileSync(config, repository.folder.join('config'))
  for (const at of [3, 100, statSync(config).size - 30]) {
    flip(config, at)
    assert.equal((await repository.run(['check', '--no-key'])).exitCode, 5)
    copyFileSync(repository.folder.join('config'), config)
  }
})

function largest(paths: readonly string[]): string {
  const [path] = paths.toSorted((a, b) => statSync(b).size - statSync(a).size)
  assert(path !== undefined)
  return path
}

function flip(path: string, at: number): void {
  const bytes = readFileSync(path)
  bytes[at] = (bytes[at] ?? 0) ^ 1
  writeFileSync(path, bytes)
}
