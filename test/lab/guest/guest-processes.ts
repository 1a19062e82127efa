import { spawn, type ChildProcess } from 'node:child_process'

import type { Answer, OutputStream, StartRequest } from './messages.ts'

/** A command may leave a daemon behind that holds its output open for ever. */
const OUTPUT_AFTER_END_MS = 1000

/** The processes that the host had started, by the number that it gave them. */
export class GuestProcesses {
  readonly #running = new Map<number, ChildProcess>()
  readonly #answer: (message: Answer) => void

  constructor(answer: (message: Answer) => void) {
    this.#answer = answer
  }

  start(request: StartRequest): void {
    const { id } = request
    const [program = '', ...words] = request.argv
    const child = spawn(program, words, {
      cwd: request.cwd,
      env: { ...process.env, ...request.environment },
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.#running.set(id, child)
    child.on('error', (error) => this.#answer({ kind: 'failed', id, message: error.message }))
    child.on('spawn', () => this.#answer({ kind: 'started', id, processId: child.pid ?? 0 }))
    this.#forward(id, 'stdout', child)
    this.#forward(id, 'stderr', child)
    child.stdin.on('error', () => undefined) // It may end before it has read its input.
    child.stdin.end(Buffer.from(request.stdin, 'base64'))
    child.on('exit', (exitCode, signal) => {
      this.#running.delete(id)
      const timer = setTimeout(() => child.emit('outputOver'), OUTPUT_AFTER_END_MS)
      child.on('close', () => child.emit('outputOver'))
      child.once('outputOver', () => {
        clearTimeout(timer)
        this.#answer({ kind: 'ended', id, exitCode, signal })
      })
    })
  }

  signal(id: number, signal: NodeJS.Signals): void {
    const processId = this.#running.get(id)?.pid
    if (processId !== undefined) process.kill(-processId, signal)
  }

  killAll(): void {
    for (const id of this.#running.keys()) this.signal(id, 'SIGKILL')
  }

  #forward(id: number, stream: OutputStream, child: ChildProcess): void {
    child[stream]?.on('data', (bytes: Buffer) =>
      this.#answer({ kind: 'output', id, stream, data: bytes.toString('base64') }),
    )
  }
}
