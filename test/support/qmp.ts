import { connect } from 'node:net'
import { once } from 'node:events'

export type Qmp = Disposable & {
  /** Gives a command to QEMU and waits until it is done. Throws what QEMU says is wrong. */
  execute(command: string, words?: Readonly<Record<string, unknown>>): Promise<unknown>
}

/** Connects to the monitor of QEMU or qemu-storage-daemon. */
export async function connectQmp(path: string): Promise<Qmp> {
  const socket = connect(path)
  await once(socket, 'connect')
  let text = ''
  const answers: ((answer: { return?: unknown; error?: unknown }) => void)[] = []
  socket.setEncoding('utf8').on('data', (piece: string) => {
    const lines = (text + piece).split('\n')
    text = lines.pop() ?? ''
    for (const line of lines) {
      const said: unknown = JSON.parse(line)
      if (typeof said === 'object' && said !== null && ('return' in said || 'error' in said))
        answers.shift()?.(said)
    }
  })
  const execute: Qmp['execute'] = async (command, words = {}) => {
    const { promise, resolve } = Promise.withResolvers<{ return?: unknown; error?: unknown }>()
    answers.push(resolve)
    socket.write(`${JSON.stringify({ execute: command, arguments: words })}\n`)
    const answer = await promise
    if (answer.error !== undefined) throw new Error(`${command}: ${JSON.stringify(answer.error)}`)
    return answer.return
  }
  await execute('qmp_capabilities')
  return { execute, [Symbol.dispose]: () => socket.destroy() }
}
