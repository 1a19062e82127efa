// The form is that of "The NBD Uniform Resource Indicator (URI) format", doc/uri.md of the NBD project.

/** Where an export is. */
export type NbdExport = {
  /** As the user wrote it; it holds no secret. */
  readonly uri: string
  readonly endpoint: NbdEndpoint
  /** True: TLS or nothing. False: no TLS at all; there is nothing in between that could be talked down. */
  readonly isEncrypted: boolean
  /** What the server's certificate has to be for. */
  readonly tlsHostname: string
  readonly exportName: string
}

export type NbdEndpoint =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }

const DEFAULT_PORT = 10_809
const URI_LENGTH_MAX = 16_384
const HOST_LENGTH_MAX = 255
/** What the protocol allows for a string. */
const EXPORT_NAME_BYTES_MAX = 4096
/** What a socket address of Linux has room for. */
const SOCKET_PATH_BYTES_MAX = 107

const SCHEMES = ['nbd', 'nbds', 'nbd+unix', 'nbds+unix']

/** True for what can only be meant as the URI of an export. */
export function isNbdUri(text: string): boolean {
  return /^nbds?(\+[a-z]+)?:\/\//i.test(text)
}

/** Reads `nbd://HOST[:PORT]/EXPORT`, `nbd+unix:///EXPORT?socket=PATH`, and both with `nbds`. Throws SyntaxError. */
export function parseNbdUri(uri: string): NbdExport {
  if (uri.length > URI_LENGTH_MAX || /[\s\p{Cc}]/u.test(uri)) {
    throw new SyntaxError(
      `Cannot read NBD URI: expected at most ${URI_LENGTH_MAX} characters without spaces; write them as %20`,
    )
  }
  const [, rawScheme = '', authority = '', path = '', query = ''] =
    /^([^:/?#]+):\/\/([^/?#]*)(\/[^?#]*)?(?:\?([^#]*))?$/.exec(uri) ?? []
  const scheme = rawScheme.toLowerCase()
  if (!SCHEMES.includes(scheme)) {
    throw wrong(uri, `expected nbd://HOST[:PORT]/EXPORT or nbd+unix:///EXPORT?socket=PATH, or nbds`)
  }
  const parameters = parametersOf(uri, query)
  const endpoint = scheme.endsWith('+unix')
    ? unixEndpoint(uri, authority, parameters)
    : tcpEndpoint(uri, authority, parameters)
  const isEncrypted = scheme.startsWith('nbds')
  requireKnownTls(uri, parameters, isEncrypted)
  const tlsHostname =
    parameters.get('tls-hostname') ?? (endpoint.kind === 'tcp' ? endpoint.host : 'localhost')
  if (tlsHostname === '' || tlsHostname.length > HOST_LENGTH_MAX)
    throw wrong(uri, 'tls-hostname is no host name')
  return { uri, endpoint, isEncrypted, tlsHostname, exportName: exportNameOf(uri, path) }
}

/** `EXPORT at HOST:PORT`: what stays the same however the URI was written. */
export function nbdExportTitle({ endpoint, exportName }: NbdExport): string {
  const where =
    endpoint.kind === 'tcp' ? `${endpoint.host}:${endpoint.port}` : endpoint.path.replaceAll('\0', '@')
  return exportName === '' ? where : `${exportName} at ${where}`
}

function tcpEndpoint(
  uri: string,
  authority: string,
  parameters: ReadonlyMap<string, string>,
): Extract<NbdEndpoint, { kind: 'tcp' }> {
  if (parameters.has('socket')) throw wrong(uri, 'a socket needs nbd+unix:// or nbds+unix://')
  if (authority.includes('@')) throw wrong(uri, 'a user name is not used, required is HOST[:PORT]')
  const [, bracketed, plain, portText] =
    /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+))(?::([0-9]{1,5}))?$/.exec(authority) ?? []
  const host = bracketed ?? decoded(uri, plain ?? '')
  if (host === '' || host.length > HOST_LENGTH_MAX || /[\s/\0]/.test(host)) {
    throw wrong(uri, `the host is "${authority}", expected HOST, HOST:PORT or [IPV6]:PORT`)
  }
  const port = portText === undefined ? DEFAULT_PORT : Number(portText)
  if (port < 1 || port > 65_535) throw wrong(uri, `the port is ${port}, expected 1 to 65535`)
  return { kind: 'tcp', host, port }
}

function unixEndpoint(
  uri: string,
  authority: string,
  parameters: ReadonlyMap<string, string>,
): Extract<NbdEndpoint, { kind: 'unix' }> {
  if (authority !== '') throw wrong(uri, `a host has no place here, expected nbd+unix:///EXPORT?socket=PATH`)
  const path = parameters.get('socket') ?? ''
  const length = Buffer.byteLength(path)
  if (length === 0 || length > SOCKET_PATH_BYTES_MAX || path.includes('\0', 1)) {
    throw wrong(uri, `expected ?socket=PATH with a path of 1 to ${SOCKET_PATH_BYTES_MAX} bytes`)
  }
  return { kind: 'unix', path }
}

const KNOWN_PARAMETERS = ['socket', 'tls-hostname', 'tls-type', 'tls-verify-peer']

function parametersOf(uri: string, query: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>()
  for (const pair of query.split('&')) {
    if (pair === '') continue
    const [, rawName = '', rawValue = ''] = /^([^=]*)=?(.*)$/s.exec(pair) ?? []
    const name = decoded(uri, rawName)
    if (!KNOWN_PARAMETERS.includes(name) || parameters.has(name)) {
      throw wrong(
        uri,
        `parameter "${name}" is unknown or given twice, expected ${KNOWN_PARAMETERS.join(', ')}`,
      )
    }
    parameters.set(name, decoded(uri, rawValue))
  }
  return parameters
}

function requireKnownTls(uri: string, parameters: ReadonlyMap<string, string>, isEncrypted: boolean): void {
  const given = ['tls-hostname', 'tls-type', 'tls-verify-peer'].find((name) => parameters.has(name))
  if (given !== undefined && !isEncrypted) throw wrong(uri, `${given} needs nbds:// or nbds+unix://`)
  if ((parameters.get('tls-type') ?? 'x509') !== 'x509')
    throw wrong(uri, 'tls-type is not known, expected x509')
  if ((parameters.get('tls-verify-peer') ?? '1') !== '1') {
    throw wrong(uri, 'a server that is not verified could be anybody, expected tls-verify-peer=1')
  }
}

function exportNameOf(uri: string, path: string): string {
  const name = decoded(uri, path.slice(1))
  if (name.includes('\0') || Buffer.byteLength(name) > EXPORT_NAME_BYTES_MAX) {
    throw wrong(uri, `expected an export name of at most ${EXPORT_NAME_BYTES_MAX} bytes without NUL`)
  }
  return name
}

function decoded(uri: string, text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (cause) {
    throw new SyntaxError(`Cannot read NBD URI "${uri}": "${text}" is not percent-encoded UTF-8`, { cause })
  }
}

function wrong(uri: string, finding: string): SyntaxError {
  return new SyntaxError(`Cannot read NBD URI "${uri}": ${finding}`)
}
