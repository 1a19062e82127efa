import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createFileRegistry, create, fromBinary, toBinary, toJson } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema, FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt'
import { Client, credentials, type ServiceError } from '@grpc/grpc-js'
import { agentPair, type AgentPair } from '../../test/support/agent-pair.ts'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import {
  ServerReflectionRequestSchema,
  ServerReflectionResponseSchema,
} from './gen/grpc/reflection/v1/reflection_pb.ts'

const REFLECTION = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo'
type Question = Parameters<typeof create<typeof ServerReflectionRequestSchema>>[1]

/** An agent that lists, tells extents and refuses, under a name: foreign clients take no address for one. */
async function namedPair(): Promise<AgentPair> {
  const pair = await agentPair({
    listSources: () => Promise.resolve([{ pattern: '/dev/vg0/*', mayRestore: true }]),
    async *extents({ startingOffset }) {
      const zero = { kind: 'zero', offset: startingOffset, length: 4096 } as const
      yield await Promise.resolve({ imageSizeBytes: 8192, epoch: 'e1', extents: [zero] })
      yield { imageSizeBytes: 8192, epoch: 'e1', extents: [{ ...zero, offset: startingOffset + 4096 }] }
    },
    release: () =>
      Promise.reject(new BackupError(ErrorCode.ImageMissing, 'Cannot release "g": no such group')),
  })
  pair.server.replaceTls(pair.authority.issue({ role: 'agent', host: 'localhost' }))
  return pair
}

function foreignClient(pair: AgentPair): Client {
  const tls = pair.authority.issue({ role: 'mover' })
  const channel = credentials.createSsl(
    Buffer.from(tls.authority),
    Buffer.from(tls.key),
    Buffer.from(tls.certificate),
  )
  return new Client(`localhost:${pair.server.port}`, channel)
}

const plain = (bytes: Buffer): Buffer => bytes

/** Asks the server itself what it has, in one bidirectional stream. */
async function reflect(
  client: Client,
  ...questions: readonly NonNullable<Question>[]
): Promise<readonly ReturnType<typeof fromBinary<typeof ServerReflectionResponseSchema>>[]> {
  const stream = client.makeBidiStreamRequest(REFLECTION, plain, plain)
  for (const question of questions) {
    const message = create(ServerReflectionRequestSchema, question)
    stream.write(Buffer.from(toBinary(ServerReflectionRequestSchema, message)))
  }
  stream.end()
  const answers: ReturnType<typeof fromBinary<typeof ServerReflectionResponseSchema>>[] = []
  for await (const bytes of stream) {
    assert(Buffer.isBuffer(bytes))
    answers.push(fromBinary(ServerReflectionResponseSchema, bytes))
  }
  return answers
}

test('a foreign gRPC client finds the service by reflection, and calls it', async () => {
  await using pair = await namedPair()
  const client = foreignClient(pair)
  try {
    const [list, found, missing, none] = await reflect(
      client,
      { messageRequest: { case: 'listServices', value: '' } },
      { messageRequest: { case: 'fileContainingSymbol', value: 'icecore.v1.AgentService' } },
      { messageRequest: { case: 'fileByFilename', value: 'no.proto' } },
      {},
    )
    assert(list?.messageResponse.case === 'listServicesResponse')
    assert.deepEqual(
      list.messageResponse.value.service.map(({ name }) => name),
      ['icecore.v1.AgentService', 'grpc.reflection.v1.ServerReflection'],
    )
    assert.equal(missing?.messageResponse.case, 'errorResponse')
    assert.equal(none?.messageResponse.case, 'errorResponse')
    assert(found?.messageResponse.case === 'fileDescriptorResponse')
    const file = found.messageResponse.value.fileDescriptorProto.map((bytes) =>
      fromBinary(FileDescriptorProtoSchema, bytes),
    )
    const service = createFileRegistry(create(FileDescriptorSetSchema, { file })).getService(
      'icecore.v1.AgentService',
    )
    assert(service)
    const { listSources, getExtents, release } = service.method
    assert(listSources && getExtents && release)
    const path = (name: string): string => `/${service.typeName}/${name}`
    const sources = await new Promise<Buffer>((resolve, reject) => {
      client.makeUnaryRequest(path(listSources.name), plain, plain, Buffer.alloc(0), (error, value) => {
        if (value === undefined) reject(error ?? new Error('no answer'))
        else resolve(value)
      })
    })
    assert.deepEqual(toJson(listSources.output, fromBinary(listSources.output, sources)), {
      sources: [{ pattern: '/dev/vg0/*', mayRestore: true }],
    })
    const request = Buffer.from(
      toBinary(getExtents.input, fromBinary(getExtents.input, Uint8Array.of(0x0a, 1, 0x69))),
    )
    const parts: unknown[] = []
    for await (const bytes of client.makeServerStreamRequest(path(getExtents.name), plain, plain, request)) {
      assert(Buffer.isBuffer(bytes))
      parts.push(toJson(getExtents.output, fromBinary(getExtents.output, bytes)))
    }
    const expected = { imageSizeBytes: '8192', epoch: 'e1' }
    assert.deepEqual(parts, [
      { ...expected, extents: [{ sizeBytes: '4096', kind: 'EXTENT_KIND_ZERO' }] },
      { ...expected, extents: [{ byteOffset: '4096', sizeBytes: '4096', kind: 'EXTENT_KIND_ZERO' }] },
    ])
    const failure = await new Promise<ServiceError | null>((resolve) => {
      const group = Buffer.from([0x0a, 1, 0x67])
      client.makeUnaryRequest(path(release.name), plain, plain, group, resolve)
    })
    assert.equal(failure?.code, 5)
    // This client does not decode a colon.
    assert.equal(decodeURIComponent(failure.details), 'Cannot release "g": no such group')
  } finally {
    client.close()
  }
})

const BUF = fileURLToPath(new URL('../../node_modules/.bin/buf', import.meta.url))

type Said = { readonly exitCode: number; readonly stdout: string; readonly stderr: string }

test('a command line that knows nothing of icecore finds the calls and makes them, with a certificate', async () => {
  await using pair = await namedPair()
  using folder = temporaryFolder()
  const tls = pair.authority.issue({ role: 'mover' })
  const identity = ['--cert', folder.join('certificate'), '--key', folder.join('key')]
  writeFileSync(folder.join('authority'), tls.authority)
  writeFileSync(folder.join('certificate'), tls.certificate)
  writeFileSync(folder.join('key'), tls.key)
  const curl = async (path: string, ...words: readonly string[]): Promise<Said> => {
    const about = ['--protocol', 'grpc', '--cacert', folder.join('authority'), ...words]
    const url = `https://localhost:${pair.server.port}${path}`
    // Its own folder: it keeps a cache at home.
    const env = { ...process.env, HOME: folder.join('home') }
    return await new Promise((resolve) => {
      execFile(BUF, ['curl', ...about, url], { env }, (error, stdout, stderr) => {
        resolve({ exitCode: typeof error?.code === 'number' ? error.code : 0, stdout, stderr })
      })
    })
  }
  const methods = await curl('', '--list-methods', ...identity)
  assert.equal(methods.exitCode, 0, methods.stderr)
  assert.match(methods.stdout, /icecore\.v1\.AgentService\/IdentifyConfiguration/)

  const sources = await curl('/icecore.v1.AgentService/ListSources', ...identity)
  assert.equal(sources.exitCode, 0, sources.stderr)
  assert.deepEqual(JSON.parse(sources.stdout), { sources: [{ pattern: '/dev/vg0/*', mayRestore: true }] })

  const question = JSON.stringify({ imageId: 'i', startingOffset: '4096' })
  const extents = await curl('/icecore.v1.AgentService/GetExtents', '--data', question, ...identity)
  assert.equal(extents.exitCode, 0, extents.stderr)
  assert.deepEqual(
    extents.stdout.match(/"byteOffset":\s*"\d+"/g)?.map((text) => /\d+/.exec(text)?.[0]),
    ['4096', '8192'],
  )

  // NOT_FOUND of gRPC is 5; this program shifts it.
  const missing = await curl('/icecore.v1.AgentService/Release', '--data', '{"groupId":"g"}', ...identity)
  assert.equal(missing.exitCode, 5 << 3)
  assert.match(missing.stderr, /Cannot release \\?"g\\?": no such group/)

  const stranger = await curl('/icecore.v1.AgentService/ListSources')
  assert.notEqual(stranger.exitCode, 0)
  assert.doesNotMatch(stranger.stdout, /vg0/)
})
