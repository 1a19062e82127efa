import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

import type { Answer, Request } from './guest/messages.ts'
import type { UmlProcess } from './uml-process.ts'

type Listener = {
  heard(answer: Answer): void
  /** The guest is gone, and nothing more will come. */
  cutOff(error: Error): void
}

/** The line to the runner in a guest: sends requests and hands each answer to whoever asked. */
export class GuestLine {
  readonly ready: Promise<number>
  readonly #uml: UmlProcess
  readonly #requestFolder: string
  readonly #listeners = new Map<number, Listener>()
  #lastId = 0
  #sentCount = 0
  #cutOff: Error | undefined

  /** The guest sees `requestFolder` under the same path. */
  constructor(uml: UmlProcess, requestFolder: string) {
    this.#uml = uml
    this.#requestFolder = requestFolder
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    this.ready = promise
    promise.catch(() => undefined) // Whoever waits for it hears of it.
    this.#listeners.set(0, {
      heard: (answer) => answer.kind === 'ready' && resolve(answer.uptimeSeconds),
      cutOff: reject,
    })
    const lines = createInterface({ input: uml.fromGuest })
    lines.on('line', (text) => this.#hear(text))
    lines.on('error', () => undefined) // Cut off with the guest.
  }

  /** Sends a request under a new number; its answers go to `listener` until `forget()`. */
  request(make: (id: number) => Request, listener: Listener): number {
    this.#lastId += 1
    const id = this.#lastId
    if (this.#cutOff !== undefined) {
      listener.cutOff(this.#cutOff)
      return id
    }
    this.#listeners.set(id, listener)
    this.send(make(id))
    return id
  }

  forget(id: number): void {
    this.#listeners.delete(id)
  }

  send(request: Request): void {
    this.#sentCount += 1
    const path = join(this.#requestFolder, `${this.#sentCount}.json`)
    writeFileSync(path, JSON.stringify(request))
    this.#uml.toGuest.write(`${path}\n`)
  }

  /** Tells all who wait that nothing more will come. */
  cutOff(error: Error): void {
    this.#cutOff = error
    for (const listener of this.#listeners.values()) listener.cutOff(error)
    this.#listeners.clear()
  }

  #hear(text: string): void {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the guest's half of the lab wrote it
    const answer = JSON.parse(text) as Answer
    this.#listeners.get('id' in answer ? answer.id : 0)?.heard(answer)
  }
}
