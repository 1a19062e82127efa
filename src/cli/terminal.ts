import { styleText } from 'node:util'

/** The few styles that the program uses; a stream without colours leaves the text as it is. */
export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

export type TextStream = {
  readonly isTty: boolean
  /** Columns; 80 when it is no terminal. */
  readonly width: () => number
  readonly paint: (style: Style, text: string) => string
  /** Resolves when the text was handed over; a reader that went away (EPIPE) is no failure. */
  readonly write: (text: string | Uint8Array) => Promise<void>
  /** True when the reader went away. */
  readonly isClosed: () => boolean
}

/** Where a person types. */
export type SecretInput = NodeJS.ReadableStream & {
  readonly isTTY?: boolean
  setRawMode?(raw: boolean): unknown
}

export type Terminal = {
  /** Standard output: the result and nothing else. */
  readonly output: TextStream
  /** Standard error: progress, notices and failures. */
  readonly messages: TextStream
  /** Standard input. */
  readonly input: SecretInput
}

type Environment = Readonly<Record<string, string | undefined>>
type WriteStream = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number }

const COLUMNS_WITHOUT_TERMINAL = 80

/** Wraps the three streams of a process. */
export function openTerminal(
  streams: { readonly stdin: SecretInput; readonly stdout: WriteStream; readonly stderr: WriteStream },
  environment: Environment,
): Terminal {
  return {
    output: textStream(streams.stdout, environment),
    messages: textStream(streams.stderr, environment),
    input: streams.stdin,
  }
}

function textStream(stream: WriteStream, environment: Environment): TextStream {
  const isTty = stream.isTTY === true
  const coloured = hasColours(isTty, environment)
  let isBroken = false
  // Without a listener a failing write would crash the process; `write` reports what matters.
  stream.on('error', () => {
    isBroken = true
  })
  return {
    isTty,
    width: () => stream.columns ?? COLUMNS_WITHOUT_TERMINAL,
    paint: (style, text) => (coloured ? styleText(style, text, { validateStream: false }) : text),
    isClosed: () => isBroken,
    write: async (text) => {
      if (isBroken || text.length === 0) return
      await new Promise<void>((resolve, reject) => {
        stream.write(text, (error) => {
          if (error === null || error === undefined || isClosedPipe(error)) resolve()
          else reject(error)
        })
      })
    },
  }
}

/** https://no-color.org and https://force-color.org: a variable that is set and not empty decides. */
function hasColours(isTty: boolean, environment: Environment): boolean {
  const isSet = (name: string): boolean => (environment[name] ?? '') !== ''
  if (isSet('NO_COLOR')) return false
  if (isSet('FORCE_COLOR')) return environment['FORCE_COLOR'] !== '0'
  return isTty && environment['TERM'] !== 'dumb'
}

function isClosedPipe(error: Error): boolean {
  return 'code' in error && (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED')
}
