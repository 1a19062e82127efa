#!/usr/bin/env node
// Restores an image from an icecore repository with nothing but Node.js (24.7 or newer) and this file, written
// from docs/formats/repository.md. It is the proof that a backup does not depend on the program that made it.
//
//   node restore-without-icecore.mjs REPOSITORY                            lists the recovery points
//   node restore-without-icecore.mjs REPOSITORY POINT TARGET [OBJECT]      restores one image to a new file
//
// POINT is the beginning of an id, or `latest`. The password, or the recovery key, is the first line of the file that
// ICECORE_PASSWORD_FILE names, or is in ICECORE_PASSWORD. The index of the repository is not used: the packs say
// themselves what lies in them. Every chunk of the repository takes some memory meanwhile.
import { argon2Sync, createDecipheriv, createHash, createHmac, hkdfSync } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, ftruncateSync, openSync } from 'node:fs'
import { readdirSync, readFileSync, readSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { zstdDecompressSync } from 'node:zlib'

const [PACK_MAGIC, TRAILER_MAGIC] = ['35f5d8ed095178de', '3108960609dc6704']
const [POINT_MAGIC, NODE_MAGIC] = ['2d96a0e2aa40b4c1', 'a79f0b4527727e31']
const [HEADER_SIZE, TRAILER_SIZE, ENTRY_SIZE] = [64, 32, 44]
const PACK_SIZE_MAX = 64 * 1024 * 1024
const PLACES = 256
const NODE_HEADER_SIZE = 48

/** Ends the program with a sentence when something is not as the document says. */
function demand(condition, sentence) {
  if (!condition) throw new Error(sentence)
}

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex')
const derive = (key, salt, info) => Buffer.from(hkdfSync('sha256', key, salt, info, 32))

/** Undoes AES-256-GCM: ciphertext and tag in, plaintext out. Throws when the tag does not fit. */
function unseal(sealed, { key, nonce }, associated) {
  demand(sealed.length >= 16, 'sealed bytes are shorter than their tag')
  const end = sealed.length - 16
  const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAAD(associated)
  decipher.setAuthTag(sealed.subarray(end))
  return Buffer.concat([decipher.update(sealed.subarray(0, end)), decipher.final()])
}

/** Opens what is sealed at `offset` of a file: the offset is the nonce. Without a key the bytes are as they are. */
function openAt(bytes, { key, offset }, associated) {
  if (key === null) return bytes
  const nonce = Buffer.alloc(12)
  nonce.writeBigUInt64LE(BigInt(offset))
  return unseal(bytes, { key, nonce }, associated)
}

/** Exactly `length` bytes at `offset` of a file. */
function readAt(path, offset, length) {
  const file = openSync(path, 'r')
  const bytes = Buffer.alloc(length)
  for (let at = 0; at < length;) {
    const count = readSync(file, bytes, at, length - at, offset + at)
    demand(count > 0, `the file ends at ${offset + at}, ${length} bytes from ${offset} on are needed`)
    at += count
  }
  closeSync(file)
  return bytes
}

/** Checks the 64 bytes that begin a file, and returns the file's key, or null without encryption. */
function openHeader(repository, header, magic) {
  demand(header.length === HEADER_SIZE, 'it is shorter than its header')
  const found = header.toString('hex', 0, 8)
  demand(found === magic, `its magic is ${found}, expected ${magic}`)
  demand(header.readUInt32LE(8) === 1, `its version is ${header.readUInt32LE(8)}, expected 1`)
  const flags = header.readUInt32LE(12)
  demand(flags === (repository.sealKey === null ? 0 : 1), `its flags are ${flags}, unlike its repository`)
  demand(header.toString('hex', 16, 32) === repository.id, 'it belongs to another repository')
  return repository.sealKey && derive(repository.sealKey, header.subarray(32), 'icecore v1 file')
}

function openRepository(folder) {
  const text = readFileSync(join(folder, 'config'), 'utf8')
  const body = text.slice(0, text.lastIndexOf('sha256 '))
  demand(text === `${body}sha256 ${sha256(body)}\n`, 'config: its last line is not its SHA-256')
  const config = JSON.parse(body)
  demand(config.format === 'icecore repository', 'config: this is not an icecore repository')
  demand(config.version === 1, `config: its version is ${config.version}, this program reads version 1`)
  const repository = { folder, id: config.id, chunkSize: config.chunkSizeBytes, idKey: null, sealKey: null }
  if (config.encryption === 'none') return repository
  const masterKey = openSlots(config, readSecret())
  const [idKey, sealKey] = ['chunk id', 'seal'].map((use) => derive(masterKey, '', `icecore v1 ${use}`))
  return { ...repository, idKey, sealKey }
}

/** The first slot that the secret opens gives the master key. */
function openSlots(config, secret) {
  const { algorithm, level } = config.compression
  const compression = algorithm === 'none' ? 'none' : `zstd:${level}`
  const { version, id, chunkSizeBytes, packSizeBytes, encryption } = config
  const bound = [config.format, version, id, chunkSizeBytes, packSizeBytes, compression, encryption].join('|')
  const recoveryKey = readRecoveryKey(secret)
  for (const slot of config.keySlots) {
    if ((slot.kind === 'recovery') !== (recoveryKey !== null)) continue
    const salt = Buffer.from(slot.kdf.salt, 'base64')
    const info = 'icecore v1 recovery slot'
    const key = recoveryKey ? derive(recoveryKey, salt, info) : passwordKey(secret, slot.kdf)
    const wrapped = Buffer.from(slot.wrappedKey, 'base64')
    try {
      return unseal(wrapped.subarray(12), { key, nonce: wrapped.subarray(0, 12) }, Buffer.from(bound))
    } catch {
      // Another slot may open.
    }
  }
  throw new Error(`the ${recoveryKey ? 'recovery key' : 'password'} opens none of the key slots`)
}

function passwordKey(password, kdf) {
  const isBounded = kdf.memoryKiB <= 1_048_576 && kdf.passes <= 32 && kdf.parallelism <= 16
  demand(isBounded, 'config: a key slot costs too much')
  const { parallelism, passes, memoryKiB: memory } = kdf
  const [message, nonce] = [password.normalize('NFC'), Buffer.from(kdf.salt, 'base64')]
  return argon2Sync('argon2id', { message, nonce, parallelism, passes, memory, tagLength: 32 })
}

function readSecret() {
  const path = process.env.ICECORE_PASSWORD_FILE
  const text = path ? readFileSync(path, 'utf8') : process.env.ICECORE_PASSWORD
  demand(text, 'the repository is encrypted: set ICECORE_PASSWORD_FILE or ICECORE_PASSWORD')
  return text.split(/\r?\n/)[0]
}

/** The 32 bytes of a recovery key in Crockford's Base32; null for anything that does not begin like one. */
function readRecoveryKey(text) {
  const prefix = 'icecore-recovery-1'
  if (!text.trim().startsWith(prefix)) return null
  const digits = text.trim().slice(prefix.length).replace(/[\s-]/g, '').toUpperCase()
  const cleaned = digits.replaceAll('O', '0').replace(/[IL]/g, '1')
  demand(/^[0-9A-HJKMNP-TV-Z]{56}$/.test(cleaned), 'the recovery key does not have 56 letters and digits')
  let value = 0n
  for (const digit of cleaned) value = value * 32n + BigInt('0123456789ABCDEFGHJKMNPQRSTVWXYZ'.indexOf(digit))
  const bytes = Buffer.from(value.toString(16).padStart(70, '0'), 'hex')
  const key = bytes.subarray(0, 32)
  const check = createHash('sha256').update('icecore recovery key').update(key).digest('hex').slice(0, 5)
  demand(bytes.toString('hex', 32) === `${check}0`, 'the check digits of the recovery key do not fit')
  return key
}

/** Every point that can be read, the oldest first. */
function readPoints(repository) {
  const points = []
  for (const id of namesIn(join(repository.folder, 'points'))) {
    try {
      points.push(readPoint(repository, id))
    } catch (error) {
      console.error(`point ${id} is left out: ${error.message}`)
    }
  }
  return points.toSorted((a, b) => (a.createdAt < b.createdAt ? -1 : 1))
}

function readPoint(repository, id) {
  const bytes = readFileSync(join(repository.folder, 'points', id))
  demand(sha256(bytes) === id, 'its SHA-256 is not its name')
  const header = bytes.subarray(0, HEADER_SIZE)
  const key = openHeader(repository, header, POINT_MAGIC)
  const body = openAt(bytes.subarray(HEADER_SIZE), { key, offset: HEADER_SIZE }, header)
  const point = JSON.parse(body.toString('utf8'))
  demand(point.version === 1, `its version is ${point.version}, expected 1`)
  return { ...point, id }
}

function namesIn(folder) {
  return existsSync(folder) ? readdirSync(folder).filter((name) => /^[0-9a-f]{64}$/.test(name)) : []
}

/** Finds chunks and nodes by id; the same id may lie in several packs. */
class Packs {
  constructor(repository) {
    this.repository = repository
    this.places = new Map() // id in hexadecimal → where it lies, perhaps at several places
    const root = join(repository.folder, 'packs')
    for (const part of existsSync(root) ? readdirSync(root) : []) {
      for (const name of namesIn(join(root, part))) this.addPack(join(root, part, name))
    }
  }

  /** Reads header, trailer and directory. */
  addPack(path) {
    try {
      const { size } = statSync(path)
      demand(size >= HEADER_SIZE + TRAILER_SIZE && size <= PACK_SIZE_MAX, `it has ${size} bytes`)
      const header = readAt(path, 0, HEADER_SIZE)
      const key = openHeader(this.repository, header, PACK_MAGIC)
      const trailer = readAt(path, size - TRAILER_SIZE, TRAILER_SIZE)
      demand(trailer.toString('hex', 0, 8) === TRAILER_MAGIC, 'it does not end with a trailer')
      const offset = trailer.readUInt32LE(8)
      const length = trailer.readUInt32LE(12)
      demand(offset + length <= size - TRAILER_SIZE, 'its directory lies outside')
      const directory = openAt(readAt(path, offset, length), { key, offset }, header)
      const count = trailer.readUInt32LE(16)
      demand(directory.length === count * ENTRY_SIZE, `its directory does not have ${count} entries`)
      for (let at = 0; at < directory.length; at += ENTRY_SIZE) this.addEntry(directory, at, { path, key })
    } catch (error) {
      console.error(`pack ${path} is left out: ${error.message}`)
    }
  }

  addEntry(directory, at, pack) {
    const id = directory.toString('hex', at, at + 32)
    const [offset, size] = [directory.readUInt32LE(at + 32), directory.readUInt32LE(at + 36)]
    const place = { pack, offset, size, encoding: directory[at + 41] }
    this.places.set(id, [...(this.places.get(id) ?? []), place])
  }

  /** The plaintext of a chunk or node, from the first place where it is what its id says. */
  read(id) {
    const places = this.places.get(id.toString('hex')) ?? []
    let reason = 'no pack has it'
    for (const place of places) {
      try {
        return this.readPlace(id, place)
      } catch (error) {
        reason = `${place.pack.path} at ${place.offset}: ${error.message}`
      }
    }
    throw new Error(`chunk ${id.toString('hex')} cannot be read: ${reason}`)
  }

  readPlace(id, { pack, offset, size, encoding }) {
    demand(encoding <= 1 && size <= PACK_SIZE_MAX, 'its directory entry is not one')
    const body = openAt(readAt(pack.path, offset, size), { key: pack.key, offset }, id)
    const limit = { maxOutputLength: this.repository.chunkSize }
    const plaintext = encoding === 1 ? zstdDecompressSync(body, limit) : body
    const { idKey } = this.repository
    const hash = idKey === null ? createHash('sha256') : createHmac('sha256', idKey)
    demand(hash.update(plaintext).digest().equals(id), 'its content does not have its id')
    return plaintext
  }
}

/** Every chunk that is not zeros, as its number in the image and its id, ascending. */
function* chunksBelow(packs, node) {
  const bytes = packs.read(node.id)
  demand(bytes.toString('hex', 0, 8) === NODE_MAGIC && bytes[8] === node.level, 'a tree node is none')
  let at = NODE_HEADER_SIZE
  for (let place = 0; place < PLACES; place += 1) {
    if ((bytes[16 + (place >> 3)] & (1 << (place & 7))) === 0) continue
    const child = { id: bytes.subarray(at, at + 32), number: node.number * PLACES + place }
    at += 32
    if (node.level === 0) yield child
    else yield* chunksBelow(packs, { ...child, level: node.level - 1 })
  }
}

function restore(repository, object, target) {
  const { chunkSize } = repository
  const packs = new Packs(repository)
  const file = openSync(target, 'wx', 0o600)
  ftruncateSync(file, object.sizeBytes) // What is not written stays zeros.
  let level = 0
  while (PLACES ** (level + 1) < Math.ceil(object.sizeBytes / chunkSize)) level += 1
  const { nodeId, chunkCount } = object.root
  let count = 0
  if (nodeId !== null) {
    for (const { id, number } of chunksBelow(packs, { id: Buffer.from(nodeId, 'hex'), number: 0, level })) {
      const bytes = packs.read(id)
      demand(bytes.length === chunkSize, `chunk ${number} has ${bytes.length} bytes`)
      const length = Math.min(chunkSize, object.sizeBytes - number * chunkSize)
      demand(length > 0, `chunk ${number} lies beyond the end of the image`)
      const written = writeSync(file, bytes, 0, length, number * chunkSize)
      demand(written === length, 'the target takes no more bytes')
      count += 1
    }
  }
  demand(count === chunkCount, `the tree has ${count} chunks, the point says ${chunkCount}`)
  fsyncSync(file)
  closeSync(file)
  console.log(`${target}: ${object.sizeBytes} bytes, ${count} chunks, every one verified`)
}

function main([folder, wanted, target, name]) {
  demand(folder, 'usage: restore-without-icecore.mjs REPOSITORY [POINT TARGET [OBJECT]]')
  const repository = openRepository(folder)
  const points = readPoints(repository)
  if (wanted === undefined) {
    for (const { id, createdAt, lineage, objects } of points) {
      console.log(id, createdAt, lineage, objects.map((object) => object.name).join(' '))
    }
    return
  }
  demand(target, 'a target is needed: the name of a file to make')
  const found = wanted === 'latest' ? points.slice(-1) : points.filter(({ id }) => id.startsWith(wanted))
  demand(found.length === 1, `${found.length} points are "${wanted}", expected one`)
  const objects = found[0].objects.filter((object) => name === undefined || object.name === name)
  demand(objects.length === 1, `${objects.length} objects fit, expected one: give its name`)
  restore(repository, objects[0], target)
}

try {
  main(process.argv.slice(2))
} catch (error) {
  console.error(`restore-without-icecore: ${error.message}`)
  process.exitCode = 1
}
