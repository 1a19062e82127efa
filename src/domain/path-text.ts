/**
 * Names of files are bytes. As text they are written so that every name has one form, that no name can move a
 * terminal's cursor or feign another name, and that what is shown can be given back: a backslash is `\\`, a line feed
 * `\n`, a tab `\t`, a carriage return `\r`, and every byte that is no printable UTF-8 is `\x` and two hexadecimal
 * digits.
 */
const NAMED: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\t': '\\t', '\r': '\\r' }
const UNNAMED: Readonly<Record<string, number>> = { '\\': 0x5c, n: 0x0a, t: 0x09, r: 0x0d }
const SLASH = 0x2f
const PLAIN = /^[ -[\]-~]*$/
/** Control characters, and those that turn the direction of writing or break a line. */
const SHOWN_AS_BYTES = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/u
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()

/** A name or a path as text. */
export function formatPathBytes(bytes: Uint8Array): string {
  const latin = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  if (PLAIN.test(latin)) return latin
  let text = ''
  for (let at = 0; at < bytes.byteLength;) {
    const character = characterAt(bytes, at)
    if (character === null) {
      text += asBytes(bytes.subarray(at, at + 1))
      at += 1
      continue
    }
    const encoded = encoder.encode(character)
    text += NAMED[character] ?? (SHOWN_AS_BYTES.test(character) ? asBytes(encoded) : character)
    at += encoded.byteLength
  }
  return text
}

/** Undoes `formatPathBytes`. Throws SyntaxError at a backslash that begins nothing known. */
export function parsePathBytes(text: string): Uint8Array {
  const pieces: Uint8Array[] = []
  for (let at = 0; at < text.length;) {
    const backslash = text.indexOf('\\', at)
    if (backslash !== at) {
      const end = backslash === -1 ? text.length : backslash
      pieces.push(encoder.encode(text.slice(at, end)))
      at = end
      continue
    }
    const escape = escapeAt(text, at)
    pieces.push(Uint8Array.of(escape.byte))
    at += escape.length
  }
  return Buffer.concat(pieces)
}

/** The names of a path, from the root; empty ones and `.` are left out. Throws SyntaxError for `..`. */
export function splitPath(path: Uint8Array): Uint8Array[] {
  const names: Uint8Array[] = []
  for (let at = 0; at <= path.byteLength;) {
    const slash = path.indexOf(SLASH, at)
    const end = slash === -1 ? path.byteLength : slash
    const name = path.slice(at, end)
    const text = name.byteLength <= 2 ? Buffer.from(name).toString('latin1') : ''
    if (text === '..')
      throw new SyntaxError(`Cannot read path "${formatPathBytes(path)}": it has a ".." in it`)
    if (name.byteLength > 0 && text !== '.') names.push(name)
    at = end + 1
  }
  return names
}

/** `/a/b` of its names; `/` of none. */
export function joinPath(names: readonly Uint8Array[]): Uint8Array {
  if (names.length === 0) return Uint8Array.of(SLASH)
  return Buffer.concat(names.flatMap((name) => [Uint8Array.of(SLASH), name]))
}

/** The character whose encoding begins there, or null when there is none. */
function characterAt(bytes: Uint8Array, at: number): string | null {
  const first = bytes[at] ?? 0
  const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
  if (at + length > bytes.byteLength) return null
  try {
    return decoder.decode(bytes.subarray(at, at + length))
  } catch {
    return null
  }
}

function asBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')
}

function escapeAt(text: string, at: number): { readonly byte: number; readonly length: number } {
  const named = UNNAMED[text.charAt(at + 1)]
  if (named !== undefined) return { byte: named, length: 2 }
  const hexadecimal = /^\\x([0-9a-fA-F]{2})/.exec(text.slice(at, at + 4))?.[1]
  if (hexadecimal !== undefined) return { byte: Number.parseInt(hexadecimal, 16), length: 4 }
  throw new SyntaxError(
    `Cannot read path "${text}": after a backslash comes ${text.charAt(at + 1) || 'nothing'}, expected \\\\, \\n, \\t, \\r or \\x and two hexadecimal digits`,
  )
}
