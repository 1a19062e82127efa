export type HostAndPort = { readonly host: string; readonly port: number }

const PORT_MAX = 65_535

/** Reads HOST, HOST:PORT, [ADDRESS] or [ADDRESS]:PORT; throws SyntaxError. */
export function hostAndPort(defaultPort: number, portMin = 1): (text: string) => HostAndPort {
  return (text) => {
    const found = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:/[\]@]+))(?::(\d{1,5}))?$/.exec(text)
    const host = found?.[1] ?? found?.[2]
    const port = found?.[3] === undefined ? defaultPort : Number(found[3])
    if (host !== undefined && port >= portMin && port <= PORT_MAX) return { host, port }
    throw new SyntaxError(
      `Cannot read "${text}": expected HOST, HOST:PORT or [ADDRESS]:PORT, such as backup1:${defaultPort}`,
    )
  }
}

/** As a person would write it: without the port that is meant anyway. */
export function hostAndPortText({ host, port }: HostAndPort, defaultPort: number): string {
  const name = host.includes(':') ? `[${host}]` : host
  return port === defaultPort ? name : `${name}:${port}`
}
