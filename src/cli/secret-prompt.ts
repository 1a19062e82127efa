import { Cancelled } from './cancelled.ts'
import type { Terminal } from './terminal.ts'

const ENTER = new Set(['\r', '\n', '\u0004'])
const ERASE = new Set(['\u007F', '\b'])
const CONTROL_C = '\u0003'
const CONTROL_U = '\u0015'

/**
 * Asks on standard error and reads one line from the terminal without showing it. In raw mode the terminal
 * sends Control-C as a character, which is turned back into a cancellation.
 */
export async function promptForSecret(
  label: string,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<string> {
  const { input, messages } = terminal
  signal.throwIfAborted()
  input.setRawMode?.(true)
  try {
    // Raw first: what is typed while the label is written must not be shown either.
    await messages.write(label)
    return await lineOf(terminal, signal)
  } finally {
    input.setRawMode?.(false)
    input.pause()
    await messages.write('\n')
  }
}

function lineOf({ input }: Terminal, signal: AbortSignal): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let typed: string[] = []
  // A character of several bytes may come in two pieces.
  const decoder = new TextDecoder()
  const onData = (data: string | Buffer): void => {
    const text = typeof data === 'string' ? data : decoder.decode(data, { stream: true })
    // By code point: one press of erase takes back one character.
    for (const character of text) {
      if (ENTER.has(character)) return resolve(typed.join(''))
      if (character === CONTROL_C) return reject(new Cancelled('SIGINT'))
      if (character === CONTROL_U) typed = []
      else if (ERASE.has(character)) typed.pop()
      else typed.push(character)
    }
  }
  const onEnd = (): void => resolve(typed.join(''))
  const onAbort = (): void => reject(signal.reason)
  input.on('data', onData)
  input.on('end', onEnd)
  signal.addEventListener('abort', onAbort, { once: true })
  input.resume()
  return promise.finally(() => {
    input.off('data', onData)
    input.off('end', onEnd)
    signal.removeEventListener('abort', onAbort)
  })
}
