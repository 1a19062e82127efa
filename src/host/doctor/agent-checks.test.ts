import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AgentConfigurationFacts, checkAgentConfiguration } from './agent-configuration-check.ts'
import { checkAuditLog } from './audit-log-check.ts'
import { type CertificateFacts, checkCertificate } from './certificate-check.ts'
import { checkClock } from './clock-check.ts'
import { checkStep } from './contact-check.ts'
import { checkKeyFiles, type KeyFile } from './key-files-check.ts'
import { checkRevocation } from './revocation-check.ts'
import { checkService } from './service-check.ts'
import { checkSource, type SourceFacts } from './source-check.ts'
import { checkVersion } from './version-check.ts'

const DAY_MS = 86_400_000
const NOW_MS = 1_800_000_000_000

type AllowedFacts = Extract<AgentConfigurationFacts, { kind: 'read' }>['sources'][number]

function source(pattern: string, matchCount: number, mayRestore: boolean = false): AllowedFacts {
  return { pattern, matchCount, mayRestore }
}

function allowed(...sources: readonly AllowedFacts[]): readonly string[] {
  return checkAgentConfiguration({ kind: 'read', path: '/a', sources }).map(({ verdict }) => verdict)
}

function keyFileFindings(state: KeyFile['state']): readonly string[] {
  return checkKeyFiles([{ path: '/k', state }], 0).map(({ verdict, stops }) => `${verdict} ${stops}`)
}

test('checkAgentConfiguration() tells patterns that mean nothing from those that do', () => {
  assert.deepEqual(allowed(source('/dev/vg0/*', 3)), ['ok'])
  assert.deepEqual(allowed(source('/dev/vg0/*', 3), source('/dev/vg1/*', 0)), ['ok', 'warning'])
  assert.deepEqual(allowed(source('/dev/vg1/*', 0)), ['wrong'])
  assert.deepEqual(allowed(), ['wrong'])
  assert.deepEqual(allowed(source('/dev/vg0/*', 3, true)), ['ok', 'warning'])
  const [unusable] = checkAgentConfiguration({ kind: 'unusable', path: '/a', reason: 'No file' })
  assert.deepEqual([unusable?.verdict, unusable?.stops, unusable?.sentence], ['wrong', 'agent', 'No file'])
})

const LUN = { path: '/dev/sda', name: 'wwn:1', sectorSizeBytes: 512, transport: 'iscsi' } as const

test('checkSource() tells what cannot be frozen from what only another host cannot read', () => {
  const facts: SourceFacts = {
    path: '/dev/vg0/home',
    freezing: { kind: 'possible', provider: 'lvm-thin', why: 'it is a thin volume' },
    roomFailure: null,
    disks: [LUN],
  }
  const verdictOf = (changes: Partial<SourceFacts>): readonly unknown[] =>
    checkSource({ ...facts, ...changes }).map(({ verdict, stops }) => `${verdict} ${stops}`)
  assert.deepEqual(verdictOf({}), ['ok nothing'])
  assert.deepEqual(verdictOf({ freezing: { kind: 'impossible', reason: 'x' } }), ['wrong source'])
  assert.deepEqual(verdictOf({ roomFailure: 'The pool is full' }), ['wrong source'])
  assert.deepEqual(verdictOf({ disks: [{ ...LUN, name: null }] }), ['wrong san'])
  assert.deepEqual(verdictOf({ disks: [{ ...LUN, transport: 'local' }] }), ['warning nothing'])
  assert.deepEqual(verdictOf({ disks: [] }), ['warning nothing'])
  assert.deepEqual(verdictOf({ freezing: { kind: 'possible', provider: 'device', why: 'x' } }), [
    'warning nothing',
  ])
})

test('checkCertificate() refuses what TLS would refuse, and warns when nobody renewed it', () => {
  const facts: CertificateFacts = {
    name: 'db1',
    role: 'agent',
    beginsAtMs: NOW_MS - 10 * DAY_MS,
    endsAtMs: NOW_MS + 80 * DAY_MS,
    isOfAuthority: true,
    isRevoked: false,
    wrongHost: null,
  }
  const demand = {
    check: 'certificate',
    subject: 'The certificate of this agent',
    role: 'agent',
    nowMs: NOW_MS,
    renewal: 'Enroll again',
  } as const
  const of = (changes: Partial<CertificateFacts>): readonly unknown[] => {
    const { verdict, sentence } = checkCertificate({ ...facts, ...changes }, demand)
    return [verdict, sentence]
  }
  assert.deepEqual(of({}), [
    'ok',
    'The certificate of this agent is of agent "db1" and ends at 2027-04-05 08:00 UTC, in 80 d 0 h',
  ])
  assert.equal(of({ endsAtMs: NOW_MS + DAY_MS })[0], 'warning')
  assert.deepEqual(of({ endsAtMs: NOW_MS - DAY_MS }), [
    'wrong',
    'The certificate of this agent has ended at 2027-01-14 08:00 UTC',
  ])
  assert.match(String(of({ beginsAtMs: NOW_MS + DAY_MS })[1]), /still to come/)
  assert.match(String(of({ role: 'mover' })[1]), /role "mover", required is "agent"/)
  assert.equal(of({ isRevoked: true })[0], 'wrong')
  assert.match(
    String(of({ wrongHost: { called: 'db2', named: 'DNS:db1' } })[1]),
    /is for DNS:db1, and not for "db2"$/,
  )
  assert.equal(of({ isOfAuthority: false })[0], 'wrong')
})

test('checkKeyFiles() refuses a key that others can read', () => {
  assert.deepEqual(keyFileFindings({ mode: 0o600, userId: 0 }), ['ok nothing'])
  assert.deepEqual(keyFileFindings({ mode: 0o640, userId: 0 }), ['wrong nothing'])
  assert.deepEqual(keyFileFindings({ mode: 0o600, userId: 1000 }), ['wrong nothing'])
  assert.deepEqual(keyFileFindings(null), ['wrong agent'])
  assert.deepEqual(keyFileFindings({ failure: 'not allowed' }), ['unknown nothing'])
})

test('checkRevocation(), checkAuditLog() and checkService() never call well what nobody knows', () => {
  assert.equal(checkRevocation({ kind: 'damaged', reason: 'x' }).stops, 'agent')
  assert.match(
    checkRevocation({ kind: 'list', madeAtMs: NOW_MS, revokedCount: 2 }).sentence,
    /2027-01-15 08:00 UTC and revokes 2$/,
  )
  assert.equal(checkRevocation({ kind: 'none' }).verdict, 'ok')
  assert.equal(checkAuditLog('/l', null).verdict, 'ok')
  assert.equal(checkAuditLog('/l', 'it is read-only').stops, 'agent')
  assert.equal(checkService({ kind: 'none' }).verdict, 'unknown')
  assert.equal(checkService({ kind: 'silent', reason: 'x' }).verdict, 'unknown')
  assert.equal(checkService({ kind: 'known', active: 'active', enabled: 'enabled' }).verdict, 'ok')
  assert.equal(checkService({ kind: 'known', active: 'active', enabled: 'disabled' }).verdict, 'warning')
  assert.match(
    checkService({ kind: 'known', active: 'inactive', enabled: 'not-found' }).sentence,
    /not installed/,
  )
})

test('checkClock() allows for the time that the answer was under way', () => {
  assert.equal(checkClock({ aheadMs: 300, callMs: 400 }).verdict, 'ok')
  assert.equal(checkClock({ aheadMs: -4000, callMs: 0 }).verdict, 'ok')
  assert.equal(checkClock({ aheadMs: 6000, callMs: 2000 }).verdict, 'ok')
  assert.equal(checkClock({ aheadMs: 6000, callMs: 10 }).verdict, 'warning')
  const far = checkClock({ aheadMs: -600_000, callMs: 10 })
  assert.deepEqual([far.verdict, far.sentence], ['wrong', "The agent's clock is 10 min 00 s behind this one"])
})

test('checkVersion() goes by the first number that is not 0', () => {
  assert.equal(checkVersion('0.1.0', '0.1.0').verdict, 'ok')
  assert.equal(checkVersion('0.1.0', '0.1.7').verdict, 'ok')
  assert.equal(checkVersion('0.1.0', '0.2.0').verdict, 'warning')
  assert.equal(checkVersion('1.1.0', '1.2.0').verdict, 'ok')
  assert.equal(checkVersion('1.1.0', '2.1.0').verdict, 'warning')
  assert.equal(checkVersion('next', '2.1.0').verdict, 'unknown')
})

test('checkStep() says what to do where the way ends', () => {
  const agent = { host: 'db1', port: 8770 }
  assert.equal(checkStep('agent-name', { found: 'db1 is 192.0.2.1' }, agent).verdict, 'ok')
  const refused = checkStep('agent-port', { failure: 'Refused' }, agent)
  assert.deepEqual([refused.verdict, refused.stops, refused.sentence], ['wrong', 'agent', 'Refused'])
  assert.match(refused.advice ?? '', /port 8770/)
})
