import { BackupError, ErrorCode } from '../domain/backup-error.ts'

/** How much is sent at once. */
export class StreamLimit {
  #open = 0

  /** Throws AGENT_REFUSED when `max` are open. */
  open(max: number): Disposable {
    if (this.#open >= max) {
      const message = `The agent refuses to send more: it sends ${this.#open} maps, lists and images at once already, as many as its configuration allows, required is that one of them ends`
      throw new BackupError(ErrorCode.AgentRefused, message)
    }
    this.#open += 1
    return { [Symbol.dispose]: () => (this.#open -= 1) }
  }
}
