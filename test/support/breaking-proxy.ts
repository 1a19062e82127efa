import { connect, createServer, type Server, type Socket } from 'node:net'

/** A network that fails when the test says so: it passes on what two sides of a TCP connection say to one another. */
export class BreakingProxy implements AsyncDisposable {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #targetPort: number
  /** The next connections break when so many bytes have come from the target; one number each, then they stay whole. */
  breakAfter: number[] = []
  /** They then end as those of a program that was killed: in the middle of what it said, without a reset. */
  breaksByEnd = false
  /** Passes nothing on any more, and does not say so. */
  isSilent = false
  /** Takes nothing more, so that what a side writes stays with it: a network that is cut, to whoever sends much. */
  isStalled = false
  /** Refuses what is new. */
  isDown = false
  connectionCount = 0
  brokenCount = 0

  private constructor(server: Server, targetPort: number) {
    this.#server = server
    this.#targetPort = targetPort
    server.on('connection', (socket) => this.#join(socket))
  }

  static async before(targetPort: number): Promise<BreakingProxy> {
    const server = createServer()
    const proxy = new BreakingProxy(server, targetPort)
    const { promise, resolve } = Promise.withResolvers<void>()
    server.listen(0, '127.0.0.1', resolve)
    await promise
    return proxy
  }

  get port(): number {
    const address = this.#server.address()
    if (typeof address === 'object' && address !== null) return address.port
    throw new Error('It listens')
  }

  breakAll(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.breakAll()
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#server.close(() => resolve())
    await promise
  }

  #join(client: Socket): void {
    this.connectionCount += 1
    if (this.isDown) return void client.resetAndDestroy()
    const target = connect(this.#targetPort, '127.0.0.1')
    let left = this.breakAfter.shift() ?? Number.POSITIVE_INFINITY
    for (const [from, to] of [
      [client, target],
      [target, client],
    ] as const) {
      this.#sockets.add(from)
      from.on('error', () => {})
      from.on('close', () => {
        this.#sockets.delete(from)
        if (from.errored) to.resetAndDestroy()
        else to.destroy()
      })
      from.on('data', (bytes: Buffer) => {
        if (this.isSilent) return
        if (this.isStalled) return void from.pause()
        const isLast = from === target && bytes.byteLength > left
        if (from === target) left -= bytes.byteLength
        if (!isLast && !to.write(bytes)) {
          from.pause()
          to.once('drain', () => from.resume())
        }
        if (!isLast) return
        this.brokenCount += 1
        if (this.breaksByEnd) client.end(bytes.subarray(0, -1))
        else client.resetAndDestroy()
        target.resetAndDestroy()
      })
    }
  }
}
