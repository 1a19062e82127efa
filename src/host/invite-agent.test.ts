import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { request as httpsRequest } from 'node:https'
import { type AddressInfo, connect as connectPlain } from 'node:net'
import test from 'node:test'
import { createServer, type TlsOptions } from 'node:tls'
import { testAgentTls, testAuthority } from '../../test/support/authority.ts'
import { clockAt } from '../../test/support/shifted-clock.ts'
import { temporaryFolder, type TemporaryFolder } from '../../test/support/temporary-folder.ts'
import { handshake } from '../../test/support/tls-handshake.ts'
import { systemRandomness } from '../cli/system-randomness.ts'
import { systemClock } from '../domain/clock.ts'
import { issueCertificate, makeKeyPair, privateKeyText } from '../rpc/authority.ts'
import { parseEnrolmentToken } from '../rpc/enrolment-token.ts'
import { KeyPurpose } from '../rpc/x509-parts.ts'
import { readAgentTls } from './agent-folder.ts'
import { readAuthorityFiles } from './authority-files.ts'
import type { AuthorityFolder } from './authority-folder.ts'
import { enrolAgentFolder, type EnrolledFolder } from './enrol-agent-folder.ts'
import { inviteAgent } from './invite-agent.ts'
import type { EnrolledAgent } from './issue-to-agents.ts'

const never = new AbortController().signal
const HOST = '127.0.0.1'

type Invited = AsyncDisposable & {
  readonly authority: AuthorityFolder
  readonly token: string
  readonly port: number
  readonly enrolled: Promise<EnrolledAgent>
  readonly refused: string[]
  readonly takeBack: (reason: Error) => void
}

/** An open invitation for `localhost`. */
async function invitation(
  folder: TemporaryFolder,
  options: { readonly expiresMs?: number } = {},
): Promise<Invited> {
  const stop = new AbortController()
  const authority = await testAuthority(folder.join('authority'))
  const shown = Promise.withResolvers<{ readonly token: string; readonly port: number }>()
  const refused: string[] = []
  const enrolled = inviteAgent(
    {
      authority,
      name: 'localhost',
      listen: { host: HOST, port: 0 },
      expiresMs: options.expiresMs ?? 600_000,
      clock: systemClock,
      randomness: systemRandomness,
      onInvited: (invited) => Promise.resolve(shown.resolve(invited)),
      onRefused: ({ error }) => refused.push(error.message),
    },
    stop.signal,
  )
  enrolled.catch((error: unknown) => shown.reject(error))
  return {
    authority,
    ...(await shown.promise),
    enrolled,
    refused,
    takeBack: (reason) => stop.abort(reason),
    // A test that fails leaves nothing that listens.
    async [Symbol.asyncDispose]() {
      stop.abort()
      await enrolled.catch(() => null)
    },
  }
}

function enrol(
  at: { readonly port: number; readonly token: string },
  folder: string,
): Promise<EnrolledFolder> {
  const order = { token: parseEnrolmentToken(at.token), replaces: false, clock: systemClock }
  return enrolAgentFolder(folder, { ...order, mover: { host: HOST, port: at.port } }, never)
}

/** A server that keeps what it is told. */
async function listener(
  options: TlsOptions,
): Promise<AsyncDisposable & { readonly port: number; readonly heard: () => string }> {
  let heard = ''
  const server = createServer(options, (socket) => {
    socket.on('error', () => {})
    socket.on('data', (data) => (heard += data.toString('latin1')))
  })
  server.on('tlsClientError', () => {})
  server.listen(0, HOST)
  await once(server, 'listening')
  // A server that listens on TCP has an address of this kind.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const { port } = server.address() as AddressInfo
  return {
    port,
    heard: () => heard,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

test('an agent enrols once, with files of its own only, and both sides believe each other', async () => {
  using folder = temporaryFolder()
  await using invited = await invitation(folder)
  const agent = folder.join('config', 'agent')
  const [enrolled, folderOf] = await Promise.all([invited.enrolled, enrol(invited, agent)])
  assert.deepEqual(
    [folderOf.name, folderOf.serial, folderOf.endsAtMs],
    ['localhost', enrolled.serial, enrolled.endsAtMs],
  )
  assert.equal(statSync(agent).mode & 0o777, 0o700)
  const names = readdirSync(agent).toSorted()
  assert.deepEqual(names, ['authority.pem', 'certificate.pem', 'key.pem', 'revoked.pem'])
  assert.ok(names.every((name) => (statSync(`${agent}/${name}`).mode & 0o777) === 0o600))
  const tls = await readAgentTls(agent)
  assert.deepEqual(await handshake(await invited.authority.moverTls(), tls), { client: 'ok', server: 'ok' })
  // Nothing listens any more, whoever has the token.
  await assert.rejects(enrol(invited, folder.join('late')), { code: 'CONNECTION_FAILED' })
  assert.deepEqual(readdirSync(folder.join('late')), [])
  assert.deepEqual(invited.refused, [])
})

test('of two agents with one token, one enrols', async () => {
  using folder = temporaryFolder()
  await using invited = await invitation(folder)
  const both = await Promise.allSettled([
    enrol(invited, folder.join('one')),
    enrol(invited, folder.join('two')),
  ])
  assert.equal(both.filter(({ status }) => status === 'fulfilled').length, 1)
  assert.ok(await invited.enrolled)
  assert.equal((await invited.authority.list())[0]?.certificates.length, 1)
})

test('a host that is enrolled keeps what it has, unless it is told otherwise', async () => {
  using folder = temporaryFolder()
  const agent = folder.join('agent')
  await using first = await invitation(folder)
  await Promise.all([first.enrolled, enrol(first, agent)])
  const before = await readAgentTls(agent)
  await using second = await invitation(folder)
  await assert.rejects(enrol(second, agent), {
    code: 'USAGE_WRONG',
    message: /it is enrolled as "localhost" already.*--replace gives that up/,
  })
  assert.deepEqual(await readAgentTls(agent), before)
  const order = { token: parseEnrolmentToken(second.token), replaces: true, clock: systemClock }
  await enrolAgentFolder(agent, { ...order, mover: { host: HOST, port: second.port } }, never)
  await second.enrolled
  assert.notEqual((await readAgentTls(agent)).key, before.key)
})

test('a wrong token is refused, and the fifth ends the invitation', async () => {
  using folder = temporaryFolder()
  await using invited = await invitation(folder)
  const ended = assert.rejects(invited.enrolled, {
    code: 'ENROLMENT_REFUSED',
    message: /Cannot enrol "localhost": a wrong token was tried too often/,
  })
  const token = parseEnrolmentToken(invited.token)
  const guess = { ...token, secret: systemRandomness.bytes(18) }
  const order = { token: guess, replaces: false, clock: systemClock }
  const mover = { host: HOST, port: invited.port }
  for (let attempt = 0; attempt < 5; attempt++) {
    await assert.rejects(enrolAgentFolder(folder.join('agent'), { ...order, mover }, never), {
      code: 'ENROLMENT_REFUSED',
      message: 'Cannot enrol this host: the token is not that of this invitation',
    })
  }
  await ended
  assert.equal(invited.refused.length, 5)
  assert.ok(!invited.refused.join().includes(Buffer.from(token.secret).toString('base64url')))
  assert.deepEqual(readdirSync(folder.join('agent')), [])
  assert.deepEqual(await invited.authority.list(), [])
})

test('an invitation that nobody takes expires, and one that is taken back ends', async () => {
  using folder = temporaryFolder()
  await using short = await invitation(folder, { expiresMs: 50 })
  await assert.rejects(short.enrolled, { message: /has expired, and nobody took it/ })
  await assert.rejects(enrol(short, folder.join('agent')), { code: 'CONNECTION_FAILED' })
  await using open = await invitation(folder)
  open.takeBack(new Error('enough'))
  await assert.rejects(open.enrolled, { message: 'enough' })
})

test('a false mover hears nothing: neither one of another authority, nor one that shows the right one', async () => {
  using folder = temporaryFolder()
  await using invited = await invitation(folder)
  const stranger = await testAuthority(folder.join('stranger'))
  const real = await readAuthorityFiles(folder.join('authority'))
  assert.ok(real !== null)
  const other = await stranger.enrolmentTls()
  const forger = makeKeyPair()
  const server = makeKeyPair()
  const forged = issueCertificate(
    { ...real, key: forger.key },
    {
      publicKey: server.publicKey,
      name: 'mover',
      role: 'mover',
      host: null,
      validMs: 86_400_000,
      purposes: [KeyPurpose.Server],
    },
    { clock: systemClock, randomness: systemRandomness },
  )
  const agent = await testAgentTls(invited.authority, 'other')
  const { authority } = agent
  const movers: readonly [TlsOptions, RegExp][] = [
    [{ key: other.key, cert: other.certificate + other.authority }, /not the mover that made the token/],
    [{ key: other.key, cert: other.certificate + authority }, /not the mover that made the token/],
    [{ key: other.key, cert: other.certificate }, /not the mover that made the token/],
    // The right authority's name, and its certificate beside it, but not its signature.
    [
      { key: privateKeyText(server.key), cert: forged.toString() + authority },
      /not the mover that made the token/,
    ],
    // Another agent of the same authority.
    [{ key: agent.key, cert: agent.certificate + authority }, /who answers there is not a mover/],
  ]
  for (const [options, message] of movers) {
    await using mover = await listener(options)
    const place = folder.join('agent')
    await assert.rejects(enrol({ ...invited, port: mover.port }, place), (error: Error) => {
      assert.match(error.message, message)
      return true
    })
    assert.equal(mover.heard(), '')
    assert.deepEqual(readdirSync(place), [])
  }
})

test('a mover that signs for another key is not believed', async () => {
  using folder = temporaryFolder()
  const authority = await testAuthority(folder.join('authority'))
  // An answer of the right authority, for the key of somebody else.
  const tls = await testAgentTls(authority, 'localhost')
  const certificate = Buffer.from(new X509Certificate(tls.certificate).raw)
  const mover = await authority.enrolmentTls()
  const server = createServer({ key: mover.key, cert: mover.certificate + mover.authority }, (socket) => {
    socket.on('error', () => {})
    socket.once('data', () => {
      const body = Buffer.concat([
        Buffer.of(0x0a, 0x80 | (certificate.length & 0x7f), certificate.length >> 7),
        certificate,
      ])
      const head = `HTTP/1.1 200 OK\r\nContent-Type: application/proto\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`
      socket.end(Buffer.concat([Buffer.from(head), body]))
    })
  })
  server.listen(0, HOST)
  await once(server, 'listening')
  await using invited = await invitation(folder)
  try {
    // A server that listens on TCP has an address of this kind.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const { port } = server.address() as AddressInfo
    await assert.rejects(enrol({ ...invited, port }, folder.join('agent')), {
      code: 'ENROLMENT_REFUSED',
      message: /not for the key of this host/,
    })
    assert.deepEqual(readdirSync(folder.join('agent')), [])
  } finally {
    server.close()
  }
})

test('hostile requests are refused, and the right one is still answered', async () => {
  using folder = temporaryFolder()
  await using invited = await invitation(folder)
  const { port } = invited
  const ask = (
    method: string,
    path: string,
    options: { readonly type?: string; readonly body?: string | Buffer } = {},
  ): Promise<number> =>
    new Promise((resolve) => {
      const headers = { 'content-type': options.type ?? 'application/json', 'connect-protocol-version': '1' }
      const sent = httpsRequest(
        { host: HOST, port, method, path, headers, rejectUnauthorized: false, agent: false },
        (response) => {
          response.resume()
          response.on('end', () => resolve(response.statusCode ?? 0))
          response.on('error', () => resolve(0))
        },
      )
      sent.on('error', () => resolve(0))
      sent.end(options.body)
    })
  const path = '/icecore.v1.EnrolmentService/Enroll'
  assert.equal(await ask('GET', '/'), 404)
  assert.equal(await ask('POST', '/icecore.v1.AgentService/Freeze', { body: '{}' }), 404)
  assert.equal(await ask('DELETE', path), 405)
  assert.equal(await ask('POST', path, { type: 'text/html', body: '<p>' }), 415)
  assert.ok((await ask('POST', path, { body: '{"signingRequest": 5}' })) >= 400)
  assert.ok((await ask('POST', path, { type: 'application/proto', body: Buffer.alloc(50, 0xff) })) >= 400)
  assert.notEqual(await ask('POST', path, { body: Buffer.alloc(5_000_000, 0x20) }), 200)
  assert.equal(await ask('POST', path, { body: '{}' }), 403)
  const plain = connectPlain(port, HOST)
  plain.on('error', () => {})
  plain.end('GET / HTTP/1.1\r\n\r\n')
  await once(plain, 'close')
  // Connections that say nothing hold nobody up.
  const silent = Array.from({ length: 8 }, () => connectPlain(port, HOST))
  await Promise.all(silent.map((socket) => once(socket, 'connect')))
  const enrolled = await enrol(invited, folder.join('agent'))
  assert.equal(enrolled.name, 'localhost')
  for (const socket of silent) socket.on('error', () => {}).destroy()
  assert.ok(await invited.enrolled)
})

test('enrolAgentFolder() uses up no token where it cannot write', async () => {
  using folder = temporaryFolder()
  await using invited = await invitation(folder)
  writeFileSync(folder.join('file'), '')
  await assert.rejects(enrol(invited, folder.join('file')), { message: /Cannot write to the agent's folder/ })
  assert.deepEqual(await invited.authority.list(), [])
  assert.equal(existsSync(folder.join('file', 'key.pem')), false)
})

test('enrolAgentFolder() does not take what its clock calls not yet valid', async () => {
  using folder = temporaryFolder()
  await using invited = await invitation(folder)
  const order = { token: parseEnrolmentToken(invited.token), replaces: false, clock: clockAt(-1) }
  await assert.rejects(
    enrolAgentFolder(folder.join('agent'), { ...order, mover: { host: HOST, port: invited.port } }, never),
    { code: 'CERTIFICATE_REFUSED', message: /it begins at .*, and the clock of this host says/ },
  )
  await invited.enrolled
  assert.deepEqual(readdirSync(folder.join('agent')), [])
  assert.equal(readFileSync(folder.join('authority', 'authority.pem'), 'utf8'), invited.authority.certificate)
})
