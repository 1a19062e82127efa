import { spawn } from 'node:child_process'

import { pathWithSystemFolders } from '../../tools/test/debian-packages.ts'
import { seededRandomness } from './seeded-randomness.ts'

export type GuestWriter = AsyncDisposable & {
  /** Resolves when so many more writes are done. */
  wrote(count: number): Promise<void>
}

const BLOCK = 512
/** Writes that wait for the one under way: there is always one. */
const AHEAD = 4

/** Writes, zeroes and discards at random as fast as the export takes it, until it is disposed of. */
export function startGuestWriter(
  uri: string,
  { seed, sizeBytes }: { readonly seed: number; readonly sizeBytes: number },
): GuestWriter {
  const chance = seededRandomness(seed)
  const child = spawn('qemu-io', ['-f', 'raw', uri], {
    env: { ...process.env, PATH: pathWithSystemFolders(process.env['PATH']), LC_ALL: 'C.UTF-8' },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()))
  let said = ''
  let count = 0
  let waiting: { readonly at: number; readonly resolve: () => void }[] = []
  const writeSomething = (): void => {
    const length = BLOCK * (1 + chance.below(chance.below(4) === 0 ? 512 : 16))
    const offset = BLOCK * chance.below((sizeBytes - length) / BLOCK + 1)
    const kind = chance.below(10)
    const command = kind === 0 ? 'discard' : kind === 1 ? 'write -z' : `write -P ${1 + chance.below(255)}`
    child.stdin.write(`${command} ${offset} ${length}\n`)
  }
  child.stdin.on('error', () => undefined)
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (said + text).split('\n')
    said = lines.pop() ?? ''
    for (const line of lines) {
      if (!/(wrote|discard) \d+\/\d+ bytes/.test(line)) continue
      count += 1
      writeSomething()
    }
    for (const one of waiting) if (one.at <= count) one.resolve()
    waiting = waiting.filter((one) => one.at > count)
  })
  for (let first = 0; first < AHEAD; first += 1) writeSomething()
  return {
    async wrote(more) {
      const { promise, resolve } = Promise.withResolvers<void>()
      waiting.push({ at: count + more, resolve })
      const over = ended.then(() => {
        throw new Error(`the guest ended after ${count} writes: ${said}`)
      })
      await Promise.race([promise, over])
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await ended
    },
  }
}
