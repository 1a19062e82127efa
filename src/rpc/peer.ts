import type { X509Certificate } from 'node:crypto'

/** Who is on the other side, as the authority signed it. */
export type Peer = {
  readonly name: string
  readonly role: 'agent' | 'mover'
  /** Of the certificate, hexadecimal. */
  readonly serial: string
}

const NAME_LENGTH_MAX = 255

/** The name is the subject's common name, the role its organisational unit. Throws SyntaxError for any other certificate. */
export function peerOf(certificate: X509Certificate): Peer {
  const subject: unknown = certificate.toLegacyObject().subject
  const name = onlyPart(subject, 'CN')
  const role = onlyPart(subject, 'OU')
  if (role !== 'agent' && role !== 'mover') {
    throw new SyntaxError(
      `Cannot use the certificate of ${shown(name)}: its role is ${shown(role)}, expected "agent" or "mover"`,
    )
  }
  if (name.length > NAME_LENGTH_MAX || !/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+$/u.test(name)) {
    throw new SyntaxError(`Cannot use a certificate of role "${role}": its name is ${shown(name)}`)
  }
  return { name, role, serial: certificate.serialNumber }
}

/** Two names are no name: whoever reads the other one sees somebody else. */
function onlyPart(subject: unknown, part: 'CN' | 'OU'): string {
  const value: unknown =
    typeof subject === 'object' && subject !== null && part in subject
      ? Reflect.get(subject, part)
      : undefined
  if (typeof value === 'string') return value
  const found = value === undefined ? 'none' : 'several'
  throw new SyntaxError(`Cannot use a certificate: its subject has ${found} of "${part}", expected one`)
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, NAME_LENGTH_MAX))
}
