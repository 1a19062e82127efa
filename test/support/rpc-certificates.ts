import { X509Certificate } from 'node:crypto'
import { type Clock, systemClock } from '../../src/domain/clock.ts'
import {
  issueCertificate,
  makeAuthority,
  makeKeyPair,
  pem,
  privateKeyText,
  readAuthority,
} from '../../src/rpc/authority.ts'
import { makeRevocationList, REVOCATION_LIST_LABEL } from '../../src/rpc/revocation-list.ts'
import type { TlsMaterial } from '../../src/rpc/tls-material.ts'
import { seededRandomness } from './seeded-randomness.ts'

const DAY_MS = 86_400_000

type PeerToMake = {
  readonly role: 'agent' | 'mover'
  readonly name?: string
  readonly host?: string | null
  /** By when it ends; before now makes one that has expired. */
  readonly clock?: Clock
  readonly validMs?: number
  readonly purposes?: Parameters<typeof issueCertificate>[1]['purposes']
}

/** An authority of one test. */
export type TestAuthority = {
  issue(peer: PeerToMake): TlsMaterial
  /** The same material with a list that revokes the certificates of `peers`. */
  revoke(tls: TlsMaterial, ...peers: readonly TlsMaterial[]): TlsMaterial
}

let seed = 1

export function testAuthority(): TestAuthority {
  seed += 1
  const randomness = seededRandomness(seed * 7919)
  const text = makeAuthority({ clock: systemClock, randomness })
  const authority = readAuthority(text, 'test')
  return {
    issue: ({
      role,
      name = `${role}-1`,
      host = '127.0.0.1',
      clock = systemClock,
      validMs = DAY_MS,
      purposes,
    }) => {
      const { key, publicKey } = makeKeyPair()
      const subject = {
        publicKey,
        name,
        role,
        host: role === 'agent' ? host : null,
        validMs,
        ...(purposes === undefined ? {} : { purposes }),
      }
      const certificate = issueCertificate(authority, subject, { clock, randomness })
      return {
        key: privateKeyText(key),
        certificate: certificate.toString(),
        authority: text.certificate,
        revoked: null,
      }
    },
    revoke: (tls, ...peers) => {
      const revoked = peers.map(({ certificate }) => ({
        serial: new X509Certificate(certificate).serialNumber,
        revokedAtMs: systemClock.now().getTime(),
      }))
      const list = makeRevocationList(authority, { number: 1, revoked }, systemClock)
      return { ...tls, revoked: pem(REVOCATION_LIST_LABEL, list) }
    },
  }
}
