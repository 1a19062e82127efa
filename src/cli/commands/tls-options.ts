import type { OptionDefinition } from '../command.ts'
import { asText } from '../option-values.ts'

/** For exports that are reached through TLS. Files, so that no secret is in an argument. */
export const TLS_OPTIONS = {
  tlsCa: {
    kind: 'value',
    flag: 'tls-ca',
    valueName: 'FILE',
    description: 'certificates that may have signed that of an nbds:// server (PEM)',
    parse: asText,
    completes: 'file',
  },
  tlsCertificate: {
    kind: 'value',
    flag: 'tls-certificate',
    valueName: 'FILE',
    description: 'the certificate to show to an nbds:// server (PEM)',
    parse: asText,
    completes: 'file',
  },
  tlsKey: {
    kind: 'value',
    flag: 'tls-key',
    valueName: 'FILE',
    description: 'the key of that certificate (PEM)',
    parse: asText,
    completes: 'file',
  },
} as const satisfies Readonly<Record<string, OptionDefinition>>
