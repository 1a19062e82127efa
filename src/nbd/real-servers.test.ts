import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { test } from 'node:test'

import { mixedBytes } from '../../test/support/mixed-bytes.ts'
import { makeNbdCertificates } from '../../test/support/nbd-certificates.ts'
import { startNbdkit, startNbdServer } from '../../test/support/nbd-server.ts'
import { openNbd } from '../../test/support/open-nbd.ts'
import { temporaryFolder, type TemporaryFolder } from '../../test/support/temporary-folder.ts'
import { ErrorCode } from '../domain/backup-error.ts'
import type { FrozenImage } from '../domain/frozen-image.ts'
import type { NbdTls } from './nbd-socket.ts'

const MIB = 1024 * 1024
const signal = new AbortController().signal

function diskFile(folder: TemporaryFolder, length = 8 * MIB): string {
  const path = folder.join('disk.raw')
  writeFileSync(path, mixedBytes('disk', length))
  return path
}

async function assertReads(image: FrozenImage, path: string): Promise<void> {
  const content = readFileSync(path)
  const whole = new Uint8Array(image.sizeBytes)
  const quarter = image.sizeBytes / 4
  await Promise.all(
    [0, 1, 2, 3].map((i) => image.readInto(whole.subarray(i * quarter, (i + 1) * quarter), i * quarter)),
  )
  assert.equal(Buffer.compare(whole, content), 0)
}

function tlsOf(folder: TemporaryFolder): NbdTls {
  const { ca, certificate, key } = makeNbdCertificates(folder)
  return {
    ca: readFileSync(ca, 'utf8'),
    certificate: { chain: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') },
  }
}

async function refused(uri: string, tls: NbdTls, message: RegExp): Promise<void> {
  const openAndRead = async (): Promise<void> => {
    await using image = await openNbd(uri, { tls })
    // In TLS 1.3 a server refuses a client after that one is done with its own part.
    await image.readInto(new Uint8Array(512), 0)
  }
  await assert.rejects(openAndRead(), { code: ErrorCode.ConnectionFailed, message })
}

test('openNbdImage() reads through TLS with certificates on both sides, from nbdkit', async () => {
  using folder = temporaryFolder()
  const path = diskFile(folder)
  const tls = tlsOf(folder)
  const words = ['--tls=require', `--tls-certificates=${folder.path}`, '--tls-verify-peer', 'file', path]
  await using server = await startNbdkit(folder, words)
  const uri = server.uri().replace('nbd+', 'nbds+')
  {
    await using image = await openNbd(uri, { tls, connectionsMax: 2 })
    await assertReads(image, path)
  }
  await refused(uri, { ca: null, certificate: tls.certificate }, /certificate/)
  await refused(uri, { ca: tls.ca, certificate: null }, /./)
  await refused(`${uri}&tls-hostname=elsewhere`, tls, /elsewhere/)
  await refused(server.uri(), tls, /requires TLS/)
})

test('openNbdImage() reads through TLS from QEMU', async () => {
  using folder = temporaryFolder()
  const path = diskFile(folder)
  const tls = tlsOf(folder)
  await using server = await startNbdServer(folder, ({ socket, pidFile }) => [
    'qemu-storage-daemon',
    '--pidfile',
    pidFile,
    '--object',
    `tls-creds-x509,id=tls0,dir=${folder.path},endpoint=server,verify-peer=on`,
    '--blockdev',
    `driver=file,node-name=disk0,filename=${path},read-only=on`,
    '--nbd-server',
    `addr.type=unix,addr.path=${socket},tls-creds=tls0`,
    '--export',
    'type=nbd,id=export0,node-name=disk0,name=vm1',
  ])
  await using image = await openNbd(server.uri('vm1').replace('nbd+', 'nbds+'), { tls })
  await assertReads(image, path)
})

test('openNbdImage() never goes on in clear text where TLS was asked for', async () => {
  using folder = temporaryFolder()
  await using server = await startNbdkit(folder, ['file', diskFile(folder)])
  await assert.rejects(openNbd(server.uri().replace('nbd+', 'nbds+')), {
    code: ErrorCode.ConnectionFailed,
    message: /TLS was asked for and the server refuses it/,
  })
})

test('openNbdImage() reads over TCP, through several connections', async () => {
  using folder = temporaryFolder()
  const path = diskFile(folder)
  const port = await freePort()
  await using _server = await startNbdServer(folder, ({ pidFile }) => [
    'nbdkit',
    '--foreground',
    '--ipaddr=127.0.0.1',
    `--port=${port}`,
    `--pidfile=${pidFile}`,
    'file',
    path,
  ])
  await using image = await openNbd(`nbd://127.0.0.1:${port}/`, { connectionsMax: 4 })
  assert.equal(image.canMultiConn, true)
  await assertReads(image, path)
  await assertReads(image, path)
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  assert(typeof address === 'object' && address !== null)
  return address.port
}

test('readInto() waits for a slow server, with many requests under way', async () => {
  using folder = temporaryFolder()
  const path = diskFile(folder)
  const words = ['--filter=delay', '--filter=noparallel', 'file', path, 'rdelay=20ms', 'serialize=requests']
  await using server = await startNbdkit(folder, words)
  await using image = await openNbd(server.uri())
  const content = readFileSync(path)
  const reads = Array.from({ length: 100 }, async (_, i) => {
    const target = new Uint8Array(4096)
    await image.readInto(target, i * 4096)
    return Buffer.compare(target, content.subarray(i * 4096, (i + 1) * 4096))
  })
  assert.deepEqual([...new Set(await Promise.all(reads))], [0])
})

test('readInto() reports the error of the server, and the connection goes on', async () => {
  using folder = temporaryFolder()
  const path = diskFile(folder)
  const words = ['--filter=error', 'file', path, 'error-pread=ENOMEM', 'error-pread-rate=100%']
  await using server = await startNbdkit(folder, [...words, `error-file=${folder.join('now')}`])
  await using image = await openNbd(server.uri())
  writeFileSync(folder.join('now'), '')
  await assert.rejects(image.readInto(new Uint8Array(512), 1024), {
    code: ErrorCode.SourceReadFailed,
    message: /at offset 1024, length 512: the NBD server reports ENOMEM/,
  })
  rmSync(folder.join('now'))
  await assertReads(image, path)
})

test('extents() reports the error of the server', async () => {
  using folder = temporaryFolder()
  const words = ['--filter=error', 'file', diskFile(folder), 'error-extents=EIO', 'error-extents-rate=100%']
  await using server = await startNbdkit(folder, words)
  await using image = await openNbd(server.uri())
  const walk = async (): Promise<void> => {
    for await (const _batch of image.extents({ offset: 0, length: image.sizeBytes }, signal));
  }
  await assert.rejects(walk(), { code: ErrorCode.SourceReadFailed, message: /Cannot map .* reports EIO/ })
})

test('readInto() fails for all that is under way when the server is gone', async () => {
  using folder = temporaryFolder()
  const words = ['--filter=delay', 'file', diskFile(folder), 'rdelay=600']
  await using server = await startNbdkit(folder, words)
  await using image = await openNbd(server.uri())
  const reads = Array.from({ length: 100 }, (_, i) => image.readInto(new Uint8Array(512), i * 512))
  const ends = Promise.allSettled(reads)
  await server.kill()
  for (const end of await ends) {
    assert.equal(end.status, 'rejected')
    assert.equal(end.reason.code, ErrorCode.ConnectionFailed)
  }
  await assert.rejects(image.readInto(new Uint8Array(512), 0), { code: ErrorCode.ConnectionFailed })
})

test('extents() follows a list of extents of any length', async () => {
  using folder = temporaryFolder()
  const list = folder.join('list')
  const lines = Array.from({ length: 100_000 }, (_, i) => `${i * 8192} 4096`)
  writeFileSync(list, lines.join('\n'))
  const words = ['--filter=extentlist', 'null', `size=${100_000 * 8192}`, `extentlist=${list}`]
  await using server = await startNbdkit(folder, words)
  await using image = await openNbd(server.uri())
  const counts = { data: 0, zero: 0, inline: 0 }
  for await (const batch of image.extents({ offset: 0, length: image.sizeBytes }, signal)) {
    for (const { kind, length } of batch) {
      if (length === 4096) counts[kind] += 1
    }
  }
  assert.deepEqual(counts, { data: 100_000, zero: 100_000, inline: 0 })
})
