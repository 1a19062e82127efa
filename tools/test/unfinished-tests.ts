import type { EventData } from 'node:test'

type OneTest = Pick<EventData.TestDequeue, 'name' | 'file'>

/** Knows which tests have begun and not ended, for when a run has to be given up. */
export class UnfinishedTests {
  readonly #root: string
  readonly #names = new Set<string>()

  constructor(root: string) {
    this.#root = root
  }

  begin(test: OneTest): void {
    this.#names.add(this.#nameOf(test))
  }

  end(test: OneTest): void {
    this.#names.delete(this.#nameOf(test))
  }

  names(): readonly string[] {
    return [...this.#names]
  }

  #nameOf({ name, file }: OneTest): string {
    const short = (path: string): string => path.replace(`${this.#root}/`, '')
    return file === undefined || file === name ? short(name) : `${short(file)}: ${name}`
  }
}
