import assert from 'node:assert/strict'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { needsRoot } from '../support/requirements.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { openLab } from './lab.ts'
import { needsLab } from './needs-lab.ts'
import { startHost } from './start-host.ts'

test(
  'startHost() boots a host that runs commands, ends them at their deadline, and powers off',
  { skip: needsLab() },
  async () => {
    await using lab = openLab()
    const host = await startHost(lab, { name: 'a' })

    const node = await host.run([process.execPath, '-e', 'console.log(6 * 7); process.exitCode = 3'])
    assert.deepEqual({ exitCode: node.exitCode, stdout: node.stdout }, { exitCode: 3, stdout: '42\n' })
    assert.match(await host.output(['uname', '--release']), new RegExp(`^${lab.kernel.release}\\n`))

    const text = 'x'.repeat(1024 * 1024)
    assert.equal(await host.output(['cat'], { stdin: text }), text)

    writeFileSync(`${lab.share}/from-here`, 'here')
    await host.output(['sh', '-c', `cat ${lab.share}/from-here > ${lab.share}/from-there && sync`])
    assert.equal(readFileSync(`${lab.share}/from-there`, 'utf8'), 'here')

    const late = host.run(['sh', '-c', 'echo began; exec sleep 1000'], { timeoutSeconds: 3 })
    await assert.rejects(late, /on a: not done after 3 s\nbegan\n[^]* sleep 1000/)
    await assert.rejects(host.output(['sh', '-c', 'echo why >&2; exit 2']), /on a: exit code 2\nwhy/)
    await assert.rejects(host.run(['/nowhere/program']), /Cannot run "\/nowhere\/program": spawn .*ENOENT/)
    assert.equal(await host.output(['echo', 'still there']), 'still there\n')

    await host.powerOff()
    await assert.rejects(host.run(['true']), /Lab host "a" is off/)
  },
)

test(
  'root on a host may read what root has here, and change none of it',
  { skip: needsLab() || needsRoot() },
  async () => {
    using folder = temporaryFolder()
    writeFileSync(folder.join('secret'), 'as it was', { mode: 0o600 })
    await using lab = openLab()
    await using host = await startHost(lab, { name: 'a' })
    await host.output(['mkdir', '/host'])
    await host.output(['mount', '-t', 'hostfs', '-o', folder.path, 'none', '/host'])
    assert.equal(await host.output(['cat', '/host/secret']), 'as it was')
    for (const command of [
      'echo more >> secret',
      'echo new > new',
      'rm secret',
      'mv secret moved',
      'chmod 666 secret',
    ]) {
      const { exitCode, stderr } = await host.run(['sh', '-c', command], { cwd: '/host' })
      assert.notEqual(exitCode, 0, command)
      assert.match(stderr, /Permission denied|Operation not permitted/i)
    }
    await host.output(['touch', '/written-in-the-guest'])
    assert.equal(existsSync('/written-in-the-guest'), false)
    assert.deepEqual(readdirSync(folder.path), ['secret'])
    assert.equal(readFileSync(folder.join('secret'), 'utf8'), 'as it was')
  },
)
