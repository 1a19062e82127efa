import { resolve } from 'node:path'
import type { EventData } from 'node:test'

export type SkippedTest = { readonly file: string; readonly name: string; readonly reason: string }

/** Counts what a run of node:test reports, and keeps the name of every test that did not run. */
export class TestTally {
  passedCount = 0
  failedCount = 0
  readonly skipped: SkippedTest[] = []
  /** Test files in which there is no test: a slip that would pass for ever. */
  readonly emptyFiles: string[] = []
  readonly #root: string
  readonly #names: string[] = []

  constructor(root: string) {
    this.#root = root
  }

  /** A test begins: the names of the tests around it are needed if it is skipped. */
  start(test: EventData.TestStart): void {
    this.#names[test.nesting] = test.name
  }

  pass(test: EventData.TestPass): void {
    const reason = reasonOf(test)
    if (reason !== undefined) this.#skip(test, reason)
    // A file without tests is reported as one test that bears its name.
    else if (test.nesting === 0 && resolve(test.name) === test.file) this.emptyFiles.push(this.#fileOf(test))
    else if (test.details.type !== 'suite') this.passedCount += 1
  }

  /** A test that is to be mended counts as one that did not run: it proves nothing. */
  fail(test: EventData.TestFail): void {
    const reason = reasonOf(test)
    if (reason !== undefined) this.#skip(test, reason)
    else if (test.details.type !== 'suite') this.failedCount += 1
  }

  #skip(test: EventData.TestPass | EventData.TestFail, reason: string): void {
    const around = this.#names.slice(0, test.nesting)
    this.skipped.push({ file: this.#fileOf(test), name: [...around, test.name].join(' › '), reason })
  }

  #fileOf(test: EventData.TestPass | EventData.TestFail): string {
    return (test.file ?? test.name).replace(`${this.#root}/`, '')
  }
}

function reasonOf(test: EventData.TestPass | EventData.TestFail): string | undefined {
  if (typeof test.skip === 'string') return test.skip === '' ? 'no reason given' : test.skip
  if (test.skip === true) return 'no reason given'
  if (typeof test.todo === 'string' || test.todo === true) return 'still to be written'
  return undefined
}
