import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { parseByteSize } from '../src/domain/byte-size.ts'
import type { Scenario } from './bench.ts'

export const HELP = `Usage: npm run bench -- [option …]

Measures icecore beside restic, borg, zstd, partclone and qemu-img, as far as they are installed.

  --size SIZE    of the volume: 8GiB (default), 1GiB for a quick look
  --repeat N     how often each pair runs (default 3)
  --only A,B     these scenarios only; --list names them
  --work DIR     data and repositories (default /var/tmp/icecore-bench); 8GiB needs about 25 GB there
  --seed TEXT    of the data (default 1)
  --json FILE    write the figures to a file, too
  --cli FILE     another icecore.js, to compare two checkouts
  --data-only    make the data and stop
  --keep         leave the repositories for a look at them
`

/** Below this the parts of the mix are single files. */
const SIZE_BYTES_MIN = 256 * 2 ** 20

export type Options = {
  readonly action: 'measure' | 'make data' | 'list' | 'help'
  readonly sizeBytes: number
  readonly repeatCount: number
  readonly scenarios: readonly Scenario[]
  readonly workFolder: string
  readonly seed: string
  readonly jsonFile?: string
  readonly cli: string
  readonly isKept: boolean
}

/** Reads the words of the command line. Throws SyntaxError or TypeError when they do not fit. */
export function parseOptions(words: readonly string[], known: readonly Scenario[]): Options {
  const { values } = parseArgs({
    args: [...words],
    options: {
      size: { type: 'string', default: '8GiB' },
      repeat: { type: 'string', default: '3' },
      only: { type: 'string' },
      work: { type: 'string', default: '/var/tmp/icecore-bench' },
      seed: { type: 'string', default: '1' },
      json: { type: 'string' },
      cli: { type: 'string', default: fileURLToPath(new URL('../src/cli/icecore.js', import.meta.url)) },
      'data-only': { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const sizeBytes = parseByteSize(values.size)
  if (sizeBytes < SIZE_BYTES_MIN) {
    throw new SyntaxError(`Cannot make a volume of "${values.size}": the mix needs at least 256MiB`)
  }
  if (!/^[1-9]\d{0,2}$/.test(values.repeat)) {
    throw new SyntaxError(`Cannot repeat "${values.repeat}" times: expected a number from 1 to 999`)
  }
  return {
    action: values.help ? 'help' : values.list ? 'list' : values['data-only'] ? 'make data' : 'measure',
    sizeBytes,
    repeatCount: Number(values.repeat),
    scenarios: values.only === undefined ? known : chosen(values.only, known),
    workFolder: values.work,
    seed: requireFileName(values.seed),
    ...(values.json === undefined ? {} : { jsonFile: values.json }),
    cli: values.cli,
    isKept: values.keep,
  }
}

function chosen(list: string, known: readonly Scenario[]): Scenario[] {
  const names = list.split(',')
  for (const name of names) {
    if (known.some((scenario) => scenario.name === name)) continue
    const expected = known.map((scenario) => scenario.name).join(', ')
    throw new SyntaxError(`Cannot run scenario "${name}": expected one of ${expected}`)
  }
  return known.filter((scenario) => names.includes(scenario.name))
}

// The seed names a folder.
function requireFileName(seed: string): string {
  if (/^[\w-]{1,40}$/.test(seed)) return seed
  throw new SyntaxError(`Cannot use seed "${seed}": expected letters, digits, _ and - only`)
}
