import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { matches, requireAllowed } from './allowed-source.ts'

test('matches() lets a star stand for characters of one part', () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['/dev/vg0/home', '/dev/vg0/home', true],
    ['/dev/vg0/home', '/dev/vg0/home2', false],
    ['/dev/vg0/*', '/dev/vg0/home', true],
    ['/dev/vg0/*', '/dev/vg0/a/b', false],
    ['/dev/vg0/*', '/dev/vg1/home', false],
    ['/dev/*/db-*', '/dev/vg7/db-1', true],
    ['/dev/*/db-*', '/dev/vg7/web', false],
    ['/srv/a*b*c', '/srv/a1b2c', true],
    ['/srv/a*b*c', '/srv/abc', true],
    ['/srv/a*b*c', '/srv/acb', false],
    ['/srv/a*a', '/srv/a', false],
    ['/srv/*.img', '/srv/x.img.old', false],
    ['/srv/x.img', '/srv/xyimg', false],
    [`/srv/${'*a'.repeat(2000)}`, `/srv/${'a'.repeat(1999)}b`, false],
  ]
  for (const [pattern, path, wanted] of cases)
    assert.equal(matches(pattern, path), wanted, `${pattern} ${path}`)
})

test('requireAllowed() follows links that only root can have made, and lets nobody escape by others', async () => {
  using folder = temporaryFolder()
  const root = realpathSync(folder.path)
  mkdirSync(`${root}/kept`)
  mkdirSync(`${root}/open`)
  chmodSync(`${root}/kept`, 0o755)
  writeFileSync(`${root}/secret`, '')
  writeFileSync(`${root}/open/b.img`, '')
  symlinkSync('../secret', `${root}/kept/a.img`)
  symlinkSync('../secret', `${root}/open/a.img`)
  symlinkSync('b.img', `${root}/open/c.img`)
  chmodSync(`${root}/open`, 0o777)
  const sources = [
    { pattern: `${root}/kept/*.img`, mayRestore: true },
    { pattern: `${root}/open/*.img`, mayRestore: false },
  ]
  assert.equal(await requireAllowed(sources, `${root}/kept/a.img`, 'freeze'), `${root}/secret`)
  assert.equal(await requireAllowed(sources, `${root}/kept/a.img`, 'restore'), `${root}/secret`)
  assert.equal(await requireAllowed(sources, `${root}/open/b.img`, 'freeze'), `${root}/open/b.img`)
  assert.equal(await requireAllowed(sources, `${root}/open/c.img`, 'freeze'), `${root}/open/b.img`)
  const refusals: readonly (readonly [string, 'freeze' | 'restore', RegExp])[] = [
    [`${root}/open/a.img`, 'freeze', /leads to ".*secret", which its configuration does not allow/],
    [`${root}/open/b.img`, 'restore', /refuses to write to .* "restore: true"/],
    [`${root}/secret`, 'freeze', /no pattern of its configuration allows that/],
  ]
  for (const [path, purpose, message] of refusals) {
    await assert.rejects(requireAllowed(sources, path, purpose), { code: 'AGENT_REFUSED', message })
  }
})

test('requireAllowed() wants plain absolute paths that lead somewhere', async () => {
  const sources = [{ pattern: '/*', mayRestore: false }]
  for (const path of ['etc', '/etc/../etc', '/etc/', '//etc', '/e\0tc', '', `/${'a'.repeat(5000)}`]) {
    await assert.rejects(requireAllowed(sources, path, 'freeze'), { code: 'USAGE_WRONG' }, path)
  }
  await assert.rejects(requireAllowed(sources, '/no-such-thing-here', 'freeze'), { code: 'SOURCE_MISSING' })
  using folder = temporaryFolder()
  symlinkSync('b', folder.join('a'))
  symlinkSync('a', folder.join('b'))
  const round = [{ pattern: folder.join('*'), mayRestore: false }]
  await assert.rejects(requireAllowed(round, folder.join('a'), 'freeze'), {
    code: 'SOURCE_MISSING',
    message: /too many links/,
  })
})
