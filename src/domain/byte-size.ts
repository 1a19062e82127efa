const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
  PiB: 2 ** 50,
}
const NAMES = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/**
 * Reads a size as people write it: `4096`, `128KiB`, `1GiB`.
 * Throws SyntaxError when it is none, or more than 2^53 bytes.
 */
export function parseByteSize(text: string): number {
  const match = /^(\d{1,16})([KMGTP]iB|B|)$/.exec(text)
  const bytes = match === null ? Number.NaN : Number(match[1]) * (UNITS[match[2] ?? ''] ?? Number.NaN)
  if (!Number.isSafeInteger(bytes)) {
    throw new SyntaxError(
      `Cannot read size "${text}": expected a number with KiB, MiB, GiB or TiB, such as 128KiB`,
    )
  }
  return bytes
}

/** Three significant digits in the largest fitting unit: `1.46 GiB`. */
export function formatByteSize(bytes: number): string {
  let value = bytes
  let unit = 0
  while (Math.abs(value) >= 999.5 && unit < NAMES.length - 1) {
    value /= 1024
    unit += 1
  }
  const digits = unit === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.max(1, Math.abs(value)))))
  return `${value.toFixed(digits)} ${NAMES[unit]}`
}
