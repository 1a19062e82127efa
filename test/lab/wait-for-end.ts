// A process with a running lab host that does nothing; watchdog.test.ts ends it.
import { openLab } from './lab.ts'
import { startHost } from './start-host.ts'

await using lab = openLab()
await startHost(lab, { name: 'held', address: '10.77.0.1' })
process.stdout.write(`${JSON.stringify({ folder: lab.folder, logFolder: lab.logFolder })}\n`)
await new Promise(() => process.stdin.resume())
