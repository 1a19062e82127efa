import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import test from 'node:test'
import { testAgentFolder, testAuthority } from '../../test/support/authority.ts'
import { clockAt } from '../../test/support/shifted-clock.ts'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import type { Clock } from '../domain/clock.ts'
import { endOf } from '../rpc/authority.ts'
import { installCertificate, readAgentTls, signingRequestOf } from './agent-folder.ts'
import type { CertifiedAgent } from './issue-to-agents.ts'

const never = new AbortController().signal

/** The part of an agent that has to do with certificates, on its real folder. */
function agentIn(folder: string, clock: Clock): CertifiedAgent & { readonly installed: number } {
  let installed = 0
  return {
    get installed() {
      return installed
    },
    certificateEndsAtMs: async () => endOf(new X509Certificate((await readAgentTls(folder)).certificate)),
    signingRequest: () => signingRequestOf(folder),
    installCertificate: async (issued) => {
      await installCertificate(folder, issued, clock)
      installed += 1
    },
  }
}

test('renewIfDue() brings a certificate when less than a third is left, and not before', async () => {
  using folder = temporaryFolder()
  const place = folder.join('authority')
  const enrolledAt = await testAuthority(place, clockAt(0))
  await testAgentFolder(enrolledAt, { name: 'db1', folder: folder.join('agent') })
  const first = await readAgentTls(folder.join('agent'))

  const at = async (days: number): Promise<boolean> => {
    const authority = await testAuthority(place, clockAt(days))
    return await authority.renewIfDue(agentIn(folder.join('agent'), clockAt(days)), 'DB1', never)
  }
  assert.equal(await at(59), false)
  assert.deepEqual(await readAgentTls(folder.join('agent')), first)
  assert.equal(await at(61), true)
  const second = await readAgentTls(folder.join('agent'))
  assert.equal(second.key, first.key)
  assert.ok(endOf(new X509Certificate(second.certificate)) > endOf(new X509Certificate(first.certificate)))
  assert.equal(await at(61), false)

  const [agent] = await (await testAuthority(place, clockAt(61))).list()
  assert.ok(agent?.renewedAtMs !== null && agent?.renewedAtMs !== undefined)
  assert.deepEqual(
    agent.certificates.map(({ state }) => state),
    ['valid', 'replaced'],
  )
  // Until the authority ends: then a certificate that is no longer is not asked for.
  assert.equal(await at(3653 - 40), true)
  const end = endOf(new X509Certificate((await readAgentTls(folder.join('agent'))).certificate))
  assert.equal(end, enrolledAt.endsAtMs - (enrolledAt.endsAtMs % 1000))
  assert.equal(await at(3653 - 10), false)
  const [last] = await (await testAuthority(place, clockAt(3653 - 10))).list()
  assert.deepEqual(
    last?.certificates.map(({ state }) => state),
    ['valid'],
  )
})

test('renewIfDue() brings the newest list of revoked certificates, once', async () => {
  using folder = temporaryFolder()
  const authority = await testAuthority(folder.join('authority'))
  await testAgentFolder(authority, { name: '192.0.2.1', folder: folder.join('agent') })
  const agent = agentIn(folder.join('agent'), clockAt(0))
  assert.equal(await authority.renewIfDue(agent, '192.0.2.1', never), false)
  await authority.revoke({ what: '4F'.repeat(16), isMover: true }, never)
  assert.equal((await authority.list())[0]?.isListOld, true)
  assert.equal(await authority.renewIfDue(agent, '192.0.2.1', never), true)
  assert.equal((await readAgentTls(folder.join('agent'))).revoked, (await authority.moverTls()).revoked)
  assert.equal(await authority.renewIfDue(agent, '192.0.2.1', never), false)
  assert.equal(agent.installed, 1)
  assert.equal((await authority.list())[0]?.isListOld, false)
})

test('renewIfDue() signs no request of another key than asked for, and none for another name', async () => {
  using folder = temporaryFolder()
  const authority = await testAuthority(folder.join('authority'), clockAt(-80))
  await testAgentFolder(authority, { name: 'db1', folder: folder.join('agent') })
  const now = await testAuthority(folder.join('authority'))
  const agent = agentIn(folder.join('agent'), clockAt(0))
  // The mover thinks that it is somebody else: what it signs is for that name, and the agent does not take it.
  await assert.rejects(now.renewIfDue(agent, 'db2', never), { code: 'CERTIFICATE_REFUSED' })
  const hostile = { ...agent, signingRequest: () => Promise.resolve(Buffer.alloc(50_000)) }
  await assert.rejects(now.renewIfDue(hostile, 'db1', never), {
    code: 'CERTIFICATE_REFUSED',
    message: /50000 bytes long/,
  })
})
