import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import test from 'node:test'
import { testAgentFolder, testAgentTls, testAuthority } from '../../test/support/authority.ts'
import { clockAt } from '../../test/support/shifted-clock.ts'
import { temporaryFolder, type TemporaryFolder } from '../../test/support/temporary-folder.ts'
import { systemRandomness } from '../cli/system-randomness.ts'
import { systemClock } from '../domain/clock.ts'
import { fromPem, issueCertificate } from '../rpc/authority.ts'
import { makeRevocationList } from '../rpc/revocation-list.ts'
import { readSigningRequest } from '../rpc/signing-request.ts'
import { KeyPurpose } from '../rpc/x509-parts.ts'
import { installCertificate, readAgentTls, signingRequestOf } from './agent-folder.ts'
import { readAuthorityFiles } from './authority-files.ts'
import type { AuthorityFolder } from './authority-folder.ts'

const never = new AbortController().signal
const DAY_MS = 86_400_000

type Scene = {
  readonly authority: AuthorityFolder
  readonly agent: string
  readonly later: AuthorityFolder
}

/** An agent that was enrolled sixty days ago. */
async function scene(folder: TemporaryFolder): Promise<Scene> {
  const place = folder.join('authority')
  const agent = folder.join('agent')
  const then = await testAuthority(place, clockAt(-60))
  await testAgentFolder(then, { name: 'db1', folder: agent })
  return { authority: then, agent, later: await testAuthority(place) }
}

function derOf(label: string, text: string | null): Uint8Array {
  const bytes = fromPem(label, text ?? '')
  assert.ok(bytes !== null)
  return bytes
}

test('readAgentTls() gives what was enrolled, and refuses what is missing, open or of another', async () => {
  using folder = temporaryFolder()
  const { agent } = await scene(folder)
  const tls = await readAgentTls(agent)
  assert.equal(tls.key, readFileSync(folder.join('agent', 'key.pem'), 'utf8'))
  const refused = async (message: RegExp): Promise<void> => {
    await assert.rejects(readAgentTls(agent), { code: 'AGENT_NOT_ENROLLED', message })
  }
  chmodSync(folder.join('agent', 'key.pem'), 0o644)
  await refused(/"key.pem" can be read by others, required is a file of mode 0600/)
  chmodSync(folder.join('agent', 'key.pem'), 0o600)
  const stranger = await testAgentTls(await testAuthority(folder.join('stranger')), 'db1')
  writeFileSync(folder.join('agent', 'authority.pem'), stranger.authority)
  await refused(/its certificate is not of its authority/)
  writeFileSync(folder.join('agent', 'certificate.pem'), stranger.certificate)
  await refused(/its key is not that of its certificate/)
  writeFileSync(folder.join('agent', 'certificate.pem'), 'nonsense')
  await refused(/damaged/)
  rmSync(folder.join('agent', 'certificate.pem'))
  await refused(/this host was not enrolled/)
  await assert.rejects(readAgentTls(folder.join('nowhere')), { code: 'AGENT_NOT_ENROLLED' })
})

test('installCertificate() takes a later certificate of its authority for its own key and name', async () => {
  using folder = temporaryFolder()
  const { agent, later } = await scene(folder)
  const before = await readAgentTls(agent)
  const { certificate } = await later.enrol('db1', await signingRequestOf(agent), never)
  const after = await installCertificate(agent, { certificate, revoked: null })
  assert.equal(after.key, before.key)
  assert.deepEqual(new X509Certificate(after.certificate).raw, Buffer.from(certificate))
  assert.deepEqual(await readAgentTls(agent), after)
})

test('installCertificate() takes no certificate of anybody else, and none that ends sooner', async () => {
  using folder = temporaryFolder()
  const { agent, authority, later } = await scene(folder)
  const before = await readAgentTls(agent)
  const refused = async (certificate: Uint8Array, message: RegExp): Promise<void> => {
    const offered = installCertificate(agent, { certificate, revoked: null })
    await assert.rejects(offered, { code: 'CERTIFICATE_REFUSED', message })
    assert.deepEqual(await readAgentTls(agent), before)
  }
  const request = await signingRequestOf(agent)
  const stranger = await testAuthority(folder.join('stranger'))
  await refused((await stranger.enrol('db1', request, never)).certificate, /not of the authority/)
  await refused((await later.enrol('db2', request, never)).certificate, /another name/)
  await refused((await authority.enrol('db1', request, never)).certificate, /ends no later/)
  await refused(
    derOf('CERTIFICATE', (await testAgentTls(later, 'db1')).certificate),
    /not for this agent's key/,
  )
  await refused(derOf('CERTIFICATE', before.authority), /not for this agent's key/)
  await refused(Buffer.from('nonsense'), /cannot be read/)
  await refused(Buffer.alloc(1_000_000), /1000000 bytes long/)
  const early = await testAuthority(folder.join('authority'), clockAt(2))
  await refused(
    (await early.enrol('db1', request, never)).certificate,
    /it begins at .*, and the clock of this/,
  )
  // Of the right authority, for the right key and name, but a mover's, or one that may also connect.
  const keys = await readAuthorityFiles(folder.join('authority'))
  assert.ok(keys !== null)
  const publicKey = readSigningRequest(request)
  const subject = { publicKey, name: 'db1', role: 'agent', host: 'db1', validMs: 90 * DAY_MS } as const
  const parts = { clock: systemClock, randomness: systemRandomness }
  await refused(
    issueCertificate(keys, { ...subject, role: 'mover' }, parts).raw,
    /another name or another use/,
  )
  const purposes = [KeyPurpose.Server, KeyPurpose.Client]
  await refused(issueCertificate(keys, { ...subject, purposes }, parts).raw, /another name or another use/)
  await refused(issueCertificate(keys, { ...subject, host: 'db2' }, parts).raw, /another name or another use/)
  const own = createPublicKey(createPrivateKey(before.key))
  assert.ok(own.equals(publicKey))
})

test('installCertificate() takes a newer list, the same again, and never an older one', async () => {
  using folder = temporaryFolder()
  const { agent, later } = await scene(folder)
  const listNow = async (authority: AuthorityFolder): Promise<Uint8Array> =>
    derOf('X509 CRL', (await authority.moverTls()).revoked)
  const bring = async (revoked: Uint8Array): Promise<string | null> =>
    (await installCertificate(agent, { certificate: null, revoked })).revoked
  const first = await listNow(later)
  await later.revoke({ what: '4F'.repeat(16), isMover: true }, never)
  const second = await listNow(later)
  const installed = await bring(second)
  assert.deepEqual(derOf('X509 CRL', installed), Buffer.from(second))
  assert.equal(await bring(second), installed)

  const refused = async (list: Uint8Array, message: RegExp): Promise<void> => {
    await assert.rejects(bring(list), { code: 'CERTIFICATE_REFUSED', message })
    assert.equal((await readAgentTls(agent)).revoked, installed)
  }
  await refused(first, /it has number 1, and that of this agent is 2/)
  const stranger = await testAuthority(folder.join('stranger'))
  for (const what of ['4A', '4B', '4C']) {
    await stranger.revoke({ what: what.repeat(16), isMover: true }, never)
  }
  await refused(await listNow(stranger), /not signed by the authority/)
  await refused(new Uint8Array(), /it ends before/)
  await refused(Buffer.alloc(2_000_000), /2000000 bytes long/)
  const early = await testAuthority(folder.join('authority'), clockAt(2))
  await early.revoke({ what: '4D'.repeat(16), isMover: true }, never)
  await refused(await listNow(early), /it was made at .*, and the clock of this host says/)
  for (let at = 0; at < second.length; at += 5) {
    const broken = Buffer.from(second)
    broken[at] = (broken[at] ?? 0) ^ 0x41
    await assert.rejects(bring(broken), { code: 'CERTIFICATE_REFUSED' })
  }
})

test('installCertificate() writes neither when one of both is refused', async () => {
  using folder = temporaryFolder()
  const { agent, later } = await scene(folder)
  const before = await readAgentTls(agent)
  const { certificate } = await later.enrol('db1', await signingRequestOf(agent), never)
  await assert.rejects(installCertificate(agent, { certificate, revoked: Buffer.from('nonsense') }), {
    code: 'CERTIFICATE_REFUSED',
  })
  assert.deepEqual(await readAgentTls(agent), before)
})

test('installCertificate() ends with the highest number when many lists come at once', async () => {
  using folder = temporaryFolder()
  const { agent } = await scene(folder)
  const keys = await readAuthorityFiles(folder.join('authority'))
  assert.ok(keys !== null)
  const lists = [2, 5, 3, 9, 4, 8].map((number) =>
    makeRevocationList(keys, { number, revoked: [] }, systemClock),
  )
  const bring = (revoked: Uint8Array): Promise<unknown> =>
    installCertificate(agent, { certificate: null, revoked })
  await Promise.allSettled(lists.map(bring))
  const { revoked } = await readAgentTls(agent)
  assert.deepEqual(derOf('X509 CRL', revoked), Buffer.from(lists[3] ?? []))
})
