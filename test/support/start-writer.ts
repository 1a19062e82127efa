import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** What to write to, and how many bytes it may have. */
export type WriterTarget = { readonly path: string; readonly sizeBytes: number }

/** A process that writes all the time. */
export type Writer = AsyncDisposable & {
  /** Waits until it has written so many times more. */
  wrote(count: number): Promise<void>
  /** Goes on with another seed. */
  reseed(seed: number): Promise<void>
  pause(): Promise<void>
  go(): Promise<void>
}

export type WriterOptions = {
  readonly seed: number
  /** `mix`: all that can be done to a file or device. `count`: one number after the other, to all, in order. */
  readonly mode: 'mix' | 'count'
}

/** Starts it; it has written when this returns. */
export async function startWriter(
  targets: readonly WriterTarget[],
  { seed, mode }: WriterOptions,
): Promise<Writer> {
  const places = targets.map(({ path, sizeBytes }) => `${path}:${sizeBytes}`)
  const child = fork(new URL('source-writer.ts', import.meta.url), [String(seed), mode, ...places], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv: [],
  })
  const told = listen(child)
  const tell = async (message: 'pause' | 'go' | number): Promise<void> => {
    child.send(message)
    await told.until(() => told.word === String(message))
  }
  const writer: Writer = {
    wrote: async (more) => {
      const first = told.count
      await told.until(() => told.count >= first + more)
    },
    reseed: tell,
    pause: () => tell('pause'),
    go: () => tell('go'),
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
    },
  }
  await told.until(() => told.count > 0)
  return writer
}

type Told = { count: number; word: string; until(isTrue: () => boolean): Promise<void> }

/** What the writer said last, and who waits for what. */
function listen(child: ChildProcess): Told {
  let waiting: { isTrue: () => boolean; resolve: () => void; reject: (error: Error) => void }[] = []
  let ending: Error | null = null
  child.on('message', (message) => {
    if (typeof message === 'number') told.count = message
    else if (typeof message === 'string') told.word = message
    for (const one of waiting) if (one.isTrue()) one.resolve()
    waiting = waiting.filter((one) => !one.isTrue())
  })
  child.on('exit', (code) => {
    ending = new Error(`the writer ended with exit code ${code}`)
    for (const { reject } of waiting) reject(ending)
  })
  const told: Told = {
    count: 0,
    word: '',
    until: async (isTrue) => {
      if (ending !== null) throw ending
      await new Promise<void>((resolve, reject) => waiting.push({ isTrue, resolve, reject }))
    },
  }
  return told
}
