const LINE_SIZE = 16

/** Bytes as `hexdump -C` writes them: equal lines become one `*`, and the last line is the length. */
export function hexDump(bytes: Uint8Array): string {
  const lines: string[] = []
  let before = ''
  for (let at = 0; at < bytes.byteLength; at += LINE_SIZE) {
    const line = bytes.subarray(at, at + LINE_SIZE)
    if (line.toHex() === before) {
      if (lines.at(-1) !== '*') lines.push('*')
      continue
    }
    before = line.toHex()
    lines.push(`${offsetText(at)}  ${hexText(line)}  |${printable(line)}|`)
  }
  return `${[...lines, offsetText(bytes.byteLength)].join('\n')}\n`
}

function offsetText(offset: number): string {
  return offset.toString(16).padStart(8, '0')
}

function hexText(line: Uint8Array): string {
  const half = (from: number): string =>
    [...line.subarray(from, from + 8)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
  return `${half(0).padEnd(23)}  ${half(8).padEnd(23)}`
}

function printable(line: Uint8Array): string {
  return [...line].map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('')
}
