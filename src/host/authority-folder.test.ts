import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import test from 'node:test'
import { testAgentTls, testAuthority } from '../../test/support/authority.ts'
import { runTool } from '../../test/support/run-tool.ts'
import { clockAt } from '../../test/support/shifted-clock.ts'
import { temporaryFolder, type TemporaryFolder } from '../../test/support/temporary-folder.ts'
import { handshake } from '../../test/support/tls-handshake.ts'
import { systemRandomness } from '../cli/system-randomness.ts'
import { peerOf } from '../rpc/peer.ts'
import { makeKeyPair } from '../rpc/authority.ts'
import { makeSigningRequest } from '../rpc/signing-request.ts'
import type { TlsMaterial } from '../rpc/tls-material.ts'
import { type AuthorityFolder, openAuthority, openExistingAuthority } from './authority-folder.ts'

const never = new AbortController().signal
const DAY_MS = 86_400_000

function daysOf(tls: TlsMaterial): number {
  const { validFromDate, validToDate } = new X509Certificate(tls.certificate)
  return (validToDate.getTime() - validFromDate.getTime()) / DAY_MS
}

function ellipticKey(curve: string): readonly string[] {
  return ['-newkey', 'ec', '-pkeyopt', `ec_paramgen_curve:${curve}`]
}

function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8)
}

/** openssl says that a certificate is of the authority, not revoked, and for this purpose. */
function opensslVerify(folder: TemporaryFolder, tls: TlsMaterial, ...words: readonly string[]): string {
  const certificate = folder.join('openssl-leaf.pem')
  const authority = folder.join('openssl-authority.pem')
  const list = folder.join('openssl-list.pem')
  writeFileSync(certificate, tls.certificate)
  writeFileSync(authority, tls.authority)
  writeFileSync(list, tls.revoked ?? '')
  const against = ['-CAfile', authority, '-CRLfile', list]
  try {
    return runTool('openssl', ['verify', '-x509_strict', '-crl_check_all', ...against, ...words, certificate])
  } catch (error) {
    return String(error)
  }
}

test('openAuthority() makes it once, for its owner only, and whole', async () => {
  using folder = temporaryFolder()
  const place = folder.join('config', 'icecore', 'authority')
  const [first, second] = await Promise.all([testAuthority(place), testAuthority(place)])
  assert.equal(first.certificate, second.certificate)
  assert.equal(modeOf(place), '700')
  const names = readdirSync(place).toSorted()
  assert.deepEqual(names, ['authority-key.pem', 'authority.pem', 'revoked.pem'])
  assert.deepEqual(new Set(names.map((name) => modeOf(`${place}/${name}`))), new Set(['600']))
  assert.deepEqual(readdirSync(folder.join('config', 'icecore')), ['authority'])
  assert.equal(first.endsSoon, null)
})

test('openAuthority() makes none where something else lies, and openExistingAuthority() none at all', async () => {
  using folder = temporaryFolder()
  mkdirSync(folder.join('other'))
  writeFileSync(folder.join('other', 'letter.txt'), 'dear reader')
  const parts = { clock: clockAt(0), randomness: systemRandomness }
  await assert.rejects(openAuthority(folder.join('other'), parts), {
    code: 'AUTHORITY_UNUSABLE',
    message: /there is no authority in it, but something else/,
  })
  assert.deepEqual(readdirSync(folder.path), ['other'])
  await assert.rejects(openExistingAuthority(folder.join('none'), parts), {
    code: 'AUTHORITY_UNUSABLE',
    message: /there is none yet; `icecore agent invite HOST` makes it/,
  })
})

test('openAuthority() uses no key that others can read, no damaged one, and forgets no list', async () => {
  using folder = temporaryFolder()
  const place = folder.join('authority')
  const authority = await testAuthority(place)
  const parts = { clock: clockAt(0), randomness: systemRandomness }
  const key = folder.join('authority', 'authority-key.pem')
  chmodSync(key, 0o640)
  await assert.rejects(openAuthority(place, parts), { message: /can be read by others/ })
  chmodSync(key, 0o600)
  const text = readFileSync(key, 'utf8')
  const other = await testAuthority(folder.join('other'))
  writeFileSync(key, readFileSync(folder.join('other', 'authority-key.pem')))
  await assert.rejects(openAuthority(place, parts), { message: /its key is not that of its certificate/ })
  writeFileSync(key, 'nonsense')
  await assert.rejects(openAuthority(place, parts), { message: /cannot be read/ })
  rmSync(key)
  await assert.rejects(openAuthority(place, parts), { message: /"authority-key.pem" is missing/ })
  writeFileSync(key, text, { mode: 0o600 })
  writeFileSync(folder.join('authority', 'revoked.pem'), readFileSync(folder.join('other', 'revoked.pem')))
  await assert.rejects(authority.moverTls(), { message: /"revoked.pem" is damaged: it is not signed by/ })
  rmSync(folder.join('authority', 'revoked.pem'))
  await assert.rejects(authority.moverTls(), { message: /"revoked.pem" is missing or damaged/ })
  assert.ok(await other.moverTls())
})

test('openAuthority() warns half a year before it ends, and refuses when it has', async () => {
  using folder = temporaryFolder()
  const place = folder.join('authority')
  await testAuthority(place, clockAt(-3653 + 200))
  assert.equal((await testAuthority(place, clockAt(0))).endsSoon, null)
  const late = await testAuthority(place, clockAt(150))
  assert.match(late.endsSoon ?? '', /ends in (49|50) days/)
  const tls = await late.moverTls()
  assert.ok(new X509Certificate(tls.certificate).validToDate.getTime() <= late.endsAtMs)
  await assert.rejects(testAuthority(place, clockAt(201)), { message: /it has ended/ })
})

test('openssl takes the certificates of both roles, and each for its own use only', async () => {
  using folder = temporaryFolder()
  const authority = await testAuthority(folder.join('authority'))
  const agent = await testAgentTls(authority, 'db1.example.net')
  const mover = await authority.moverTls()
  assert.match(
    opensslVerify(folder, agent, '-purpose', 'sslserver', '-verify_hostname', 'db1.example.net'),
    /: OK/,
  )
  assert.match(opensslVerify(folder, agent, '-verify_hostname', 'db2.example.net'), /hostname mismatch/i)
  assert.match(opensslVerify(folder, agent, '-purpose', 'sslclient'), /unsuitable certificate purpose/i)
  assert.match(opensslVerify(folder, mover, '-purpose', 'sslclient'), /: OK/)
  assert.match(opensslVerify(folder, mover, '-purpose', 'sslserver'), /unsuitable certificate purpose/i)
  for (const [name, shown] of [
    ['192.0.2.7', '192.0.2.7'],
    ['2001:DB8::1', '2001:db8::1'],
    ['::ffff:192.0.2.7', '::ffff:192.0.2.7'],
  ] as const) {
    assert.match(opensslVerify(folder, await testAgentTls(authority, name), '-verify_ip', shown), /: OK/)
  }
  const roles = [agent, mover].map((tls) => peerOf(new X509Certificate(tls.certificate)))
  assert.deepEqual(
    roles.map(({ role }) => role),
    ['agent', 'mover'],
  )
  assert.equal(roles[0]?.name, 'db1.example.net')
})

test('certificates end when they should, and never have the same number twice', async () => {
  using folder = temporaryFolder()
  const authority = await testAuthority(folder.join('authority'))
  const agent = await testAgentTls(authority, 'a')
  const skewDays = 5 / (24 * 60)
  assert.equal(Math.round((daysOf(agent) - 90 - skewDays) * 1e4), 0)
  const movers = await Promise.all(Array.from({ length: 50 }, () => authority.moverTls()))
  assert.ok(movers.every((tls) => Math.abs(daysOf(tls) - 1 - skewDays) < 1e-4))
  assert.equal(new Set(movers.map((tls) => new X509Certificate(tls.certificate).serialNumber)).size, 50)
  assert.equal(new Set(movers.map((tls) => tls.key)).size, 50)
  // Nothing of a mover is written.
  assert.deepEqual(readdirSync(folder.join('authority')).toSorted(), [
    'agents',
    'authority-key.pem',
    'authority.pem',
    'revoked.pem',
  ])
})

test('TLS: agent and mover of one authority believe each other, and nobody of another one', async () => {
  using folder = temporaryFolder()
  const authority = await testAuthority(folder.join('authority'))
  const stranger = await testAuthority(folder.join('stranger'))
  const agent = await testAgentTls(authority, 'localhost')
  const mover = await authority.moverTls()
  assert.deepEqual(await handshake(mover, agent), { client: 'ok', server: 'ok' })
  assert.equal((await handshake(mover, agent, 'elsewhere')).client, 'ERR_TLS_CERT_ALTNAME_INVALID')
  const strangeMover = { ...(await stranger.moverTls()), authority: mover.authority, revoked: mover.revoked }
  assert.notEqual((await handshake(strangeMover, agent)).server, 'ok')
  const strangeAgent = {
    ...(await testAgentTls(stranger, 'localhost')),
    authority: agent.authority,
    revoked: agent.revoked,
  }
  assert.notEqual((await handshake(mover, strangeAgent)).client, 'ok')
})

test('TLS: an agent that was revoked is refused by the mover, and a mover by the agent', async () => {
  using folder = temporaryFolder()
  const authority = await testAuthority(folder.join('authority'))
  const agent = await testAgentTls(authority, 'localhost')
  const other = await testAgentTls(authority, 'other')
  const mover = await authority.moverTls()
  const { serial } = peerOf(new X509Certificate(mover.certificate))

  const byName = await authority.revoke({ what: 'LOCALHOST', isMover: false }, never)
  assert.deepEqual(byName.serials, [new X509Certificate(agent.certificate).serialNumber])
  const { revoked } = await authority.moverTls()
  assert.equal((await handshake({ ...mover, revoked }, agent)).client, 'CERT_REVOKED')
  assert.match(opensslVerify(folder, { ...agent, revoked }), /certificate revoked/)
  assert.match(opensslVerify(folder, { ...other, revoked }), /: OK/)

  const again = await authority.revoke({ what: byName.serials[0] ?? '', isMover: false }, never)
  assert.deepEqual([again.isRepeated, again.listNumber, again.name], [true, 2, 'localhost'])
  await authority.revoke({ what: serial.toLowerCase(), isMover: true }, never)
  const list = (await authority.moverTls()).revoked
  assert.equal((await handshake(mover, { ...agent, revoked: list })).server, 'CERT_REVOKED')
  const fresh = { ...(await authority.moverTls()), revoked: mover.revoked }
  assert.equal((await handshake(fresh, { ...agent, revoked: list })).server, 'ok')
  writeFileSync(folder.join('list.pem'), list ?? '')
  const text = runTool('openssl', ['crl', '-in', folder.join('list.pem'), '-noout', '-text'])
  assert.match(text, /X509v3 CRL Number:\s+3\n/)
  assert.equal(text.match(/Serial Number: /g)?.length, 2)
})

test('revoke() wants what it knows', async () => {
  using folder = temporaryFolder()
  const authority = await testAuthority(folder.join('authority'))
  await testAgentTls(authority, 'db1')
  const order = (what: string, isMover: boolean): Promise<unknown> =>
    authority.revoke({ what, isMover }, never)
  await assert.rejects(order('db2', false), { code: 'CERTIFICATE_MISSING', message: /Cannot revoke "db2"/ })
  await assert.rejects(order('4F'.repeat(16), false), { code: 'CERTIFICATE_MISSING' })
  await assert.rejects(order('db1', true), { code: 'CERTIFICATE_MISSING', message: /32 hexadecimal digits/ })
})

test('revoke() loses nothing when two do it at once', async () => {
  using folder = temporaryFolder()
  const authority = await testAuthority(folder.join('authority'))
  const names = ['a', 'b', 'c', 'd', 'e']
  for (const name of names) await testAgentTls(authority, name)
  await Promise.all(names.map((what) => authority.revoke({ what, isMover: false }, never)))
  const states = (await authority.list()).map(({ name, certificates }) => [name, certificates[0]?.state])
  assert.deepEqual(
    states,
    names.map((name) => [name, 'revoked']),
  )
})

test('enrol() sets the names itself, and signs nothing but a sound request', async () => {
  using folder = temporaryFolder()
  const authority = await testAuthority(folder.join('authority'))
  const refused = async (request: Uint8Array): Promise<void> => {
    await assert.rejects(authority.enrol('db1', request, never), { code: 'CERTIFICATE_REFUSED' })
  }
  const sound = Buffer.from(makeSigningRequest(makeKeyPair()))
  await refused(new Uint8Array())
  await refused(Buffer.alloc(100_000))
  await refused(Buffer.concat([sound, Buffer.of(0)]))
  for (let length = 0; length < sound.length; length += 7) await refused(sound.subarray(0, length))
  for (let at = 0; at < sound.length; at += 2) {
    const broken = Buffer.from(sound)
    broken[at] = (broken[at] ?? 0) ^ 0x41
    await refused(broken)
  }
  assert.deepEqual(await authority.list(), [])

  const request = (words: readonly string[]): Buffer => {
    const target = folder.join('request.der')
    const key = ['-nodes', '-keyout', folder.join('key.pem')]
    runTool('openssl', ['req', '-new', '-outform', 'DER', '-out', target, ...key, ...words])
    return readFileSync(target)
  }
  await refused(request(['-newkey', 'rsa:2048', '-subj', '/CN=db1']))
  await refused(request([...ellipticKey('secp384r1'), '-subj', '/CN=db1']))
  const wishes = ['-subj', '/CN=mover/OU=mover', '-addext', 'basicConstraints=critical,CA:TRUE']
  const names = ['-addext', 'subjectAltName=DNS:production.example.net']
  const greedy = request([...ellipticKey('prime256v1'), ...wishes, ...names])
  const { certificate } = await authority.enrol('db1', greedy, never)
  const issued = new X509Certificate(certificate)
  assert.equal(issued.subject, 'CN=db1\nOU=agent')
  assert.equal(issued.subjectAltName, 'DNS:db1')
  assert.equal(issued.ca, false)
})

test('list() tells what each agent has', async () => {
  using folder = temporaryFolder()
  const place = folder.join('authority')
  const authority: AuthorityFolder = await testAuthority(place, clockAt(-80))
  await testAgentTls(authority, 'db1')
  const later = await testAuthority(place, clockAt(-20))
  await testAgentTls(later, 'db1')
  const now = await testAuthority(place)
  const [agent] = await now.list()
  assert.deepEqual(
    agent?.certificates.map(({ state }) => state),
    ['valid', 'replaced'],
  )
  const [afterwards] = await (await testAuthority(place, clockAt(30))).list()
  assert.deepEqual(
    afterwards?.certificates.map(({ state }) => state),
    ['valid', 'ended'],
  )
  assert.deepEqual([agent?.renewedAtMs, agent?.isListOld], [null, false])
  await now.revoke({ what: agent?.certificates[1]?.serial ?? '', isMover: false }, never)
  const [revoked] = await now.list()
  assert.deepEqual(
    revoked?.certificates.map(({ state }) => state),
    ['valid', 'revoked'],
  )
  assert.equal(revoked?.isListOld, true)
})
