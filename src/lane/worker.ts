import { workerData } from 'node:worker_threads'
import type { WorkerSetUp } from './lane-messages.ts'
import { serveCheck } from './serve-check.ts'
import { serveRestore } from './serve-restore.ts'
import { serveSeal } from './serve-seal.ts'

/** The entry of a lane's thread: its maker says which work it is for. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the thread's maker is our own code
serve(workerData as WorkerSetUp)

function serve(setUp: WorkerSetUp): void {
  switch (setUp.work) {
    case 'check':
      return serveCheck(setUp)
    case 'restore':
      return serveRestore(setUp)
    case 'seal':
      return serveSeal(setUp)
  }
}
