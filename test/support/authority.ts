import { X509Certificate } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import type { TlsMaterial } from '../../src/rpc/tls-material.ts'
import type { Clock } from '../../src/domain/clock.ts'
import { systemClock } from '../../src/domain/clock.ts'
import { systemRandomness } from '../../src/cli/system-randomness.ts'
import { type AuthorityFolder, openAuthority } from '../../src/host/authority-folder.ts'
import { AgentFile } from '../../src/host/agent-folder.ts'
import { makeKeyPair, pem, privateKeyText } from '../../src/rpc/authority.ts'
import { REVOCATION_LIST_LABEL } from '../../src/rpc/revocation-list.ts'
import { makeSigningRequest } from '../../src/rpc/signing-request.ts'

const never = new AbortController().signal

/** A new authority in a folder that the test removes. */
export async function testAuthority(folder: string, clock: Clock = systemClock): Promise<AuthorityFolder> {
  return await openAuthority(folder, { clock, randomness: systemRandomness })
}

/** What an agent of this name has, without an enrolment over the network. */
export async function testAgentTls(authority: AuthorityFolder, name: string): Promise<TlsMaterial> {
  const keys = makeKeyPair()
  const enrolled = await authority.enrol(name, makeSigningRequest(keys), never)
  return {
    key: privateKeyText(keys.key),
    certificate: new X509Certificate(enrolled.certificate).toString(),
    authority: new X509Certificate(enrolled.authority).toString(),
    revoked: pem(REVOCATION_LIST_LABEL, enrolled.revoked),
  }
}

/** The same, as it lies in an agent's folder. */
export async function testAgentFolder(
  authority: AuthorityFolder,
  agent: { readonly name: string; readonly folder: string },
): Promise<TlsMaterial> {
  const tls = await testAgentTls(authority, agent.name)
  mkdirSync(agent.folder, { recursive: true, mode: 0o700 })
  for (const [name, text] of [
    [AgentFile.Key, tls.key],
    [AgentFile.Certificate, tls.certificate],
    [AgentFile.Authority, tls.authority],
    [AgentFile.Revoked, tls.revoked ?? ''],
  ] as const) {
    writeFileSync(`${agent.folder}/${name}`, text, { mode: 0o600 })
  }
  return tls
}
