import { isNbdUri } from '../nbd/nbd-uri.ts'
import { exportAt } from './export-at.ts'

/**
 * The lineage of sources that the user gave no name: host and source. An export is of the host that serves it, and
 * keeps its lineage whichever way it is reached; one on a socket is of this host. Throws USAGE_WRONG.
 */
export function defaultLineage(sources: readonly string[], host: string): string {
  const named = sources.map((source) =>
    isNbdUri(source) ? exportSource(source, host) : { host, name: source },
  )
  const [first] = named
  const isOfOneHost = first !== undefined && named.every((source) => source.host === first.host)
  const names = named.map((source) =>
    isOfOneHost || source.host === host ? source.name : `${source.host}/${source.name}`,
  )
  return `${isOfOneHost ? first.host : host}:${names.join('+')}`
}

function exportSource(uri: string, host: string): { readonly host: string; readonly name: string } {
  const { endpoint, exportName } = exportAt(uri)
  if (endpoint.kind === 'tcp') return { host: `${endpoint.host}:${endpoint.port}`, name: `nbd:${exportName}` }
  // The path of a socket often changes; only an export without a name has no other.
  return { host, name: `nbd:${exportName === '' ? endpoint.path.replaceAll('\0', '@') : exportName}` }
}
