import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { eventually } from '../support/eventually.ts'
import { mountedFileSystem } from '../support/mounted-file-system.ts'
import { runTool } from '../support/run-tool.ts'
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts'
import { backUpFrozen, mountImage } from './frozen-copy.ts'
import { needsPrograms, programPath } from './programs.ts'

const HOOK = fileURLToPath(new URL('../../docs/hooks/mariadb.sh', import.meta.url))
const PROGRAMS = ['mariadbd', 'mariadb', 'mariadb-admin', 'mariadb-install-db'] as const
const MIB = 1024 * 1024
const ACCOUNTS = 100
const BALANCE = 1000

/** Transfers between accounts, each with its entry in the journal; Aria keeps a copy that knows no transactions. */
const TABLES = `CREATE DATABASE bank; USE bank;
CREATE TABLE accounts (id INT PRIMARY KEY, balance INT NOT NULL) ENGINE=InnoDB;
CREATE TABLE journal (id INT AUTO_INCREMENT PRIMARY KEY, amount INT NOT NULL) ENGINE=InnoDB;
CREATE TABLE aria_journal (id INT AUTO_INCREMENT PRIMARY KEY, amount INT NOT NULL) ENGINE=Aria;
INSERT INTO accounts SELECT seq, ${BALANCE} FROM seq_1_to_${ACCOUNTS};
`

function transfer(number: number): string {
  const [from, to] = [1 + (number % ACCOUNTS), 1 + ((number * 7 + 3) % ACCOUNTS)]
  return `START TRANSACTION; UPDATE accounts SET balance = balance - 1 WHERE id = ${from};
UPDATE accounts SET balance = balance + 1 WHERE id = ${to};
INSERT INTO journal (amount) VALUES (1); COMMIT; INSERT INTO aria_journal (amount) VALUES (1);
`
}

class Server implements AsyncDisposable {
  readonly words: readonly string[]
  readonly #process: ChildProcess

  constructor(data: string, socket: string) {
    this.words = ['--no-defaults', '--user=root', `--socket=${socket}`]
    const tools = dirname(dirname(programPath('mariadbd')))
    const words = [
      '--no-defaults',
      '--user=root',
      `--basedir=${tools}`,
      `--datadir=${data}`,
      `--socket=${socket}`,
    ]
    this.#process = spawn(
      programPath('mariadbd'),
      [...words, '--skip-networking', `--pid-file=${socket}.pid`],
      {
        stdio: ['ignore', 'ignore', 'ignore'],
      },
    )
  }

  async ready(): Promise<void> {
    const attemptCount = 600
    for (let attempt = 0; attempt < attemptCount; attempt += 1) {
      try {
        return void this.query('SELECT 1')
      } catch (error) {
        if (this.#process.exitCode !== null || attempt === attemptCount - 1) throw error
        await sleep(100)
      }
    }
  }

  query(sql: string): string {
    return runTool('mariadb', [...this.words, '--batch', '--skip-column-names'], { input: sql }).trim()
  }

  /** As a power cut would. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null) return
    const ended = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await ended
  }
}

async function startServer(folder: TemporaryFolder, data: string, name: string): Promise<Server> {
  const server = new Server(data, folder.join(`${name}.sock`))
  await server.ready()
  return server
}

function countOf(server: Server, table: string): number {
  return Number(server.query(`SELECT COUNT(*) FROM bank.${table}`))
}

function install(data: string): void {
  mkdirSync(data)
  const tools = dirname(dirname(programPath('mariadbd')))
  const words = ['--no-defaults', '--user=root', `--basedir=${tools}`, `--datadir=${data}`]
  runTool(programPath('mariadb-install-db'), [
    ...words,
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
  ])
}

/** Writes transfers for as long as it lives. */
function startLoad(server: Server): ChildProcess {
  const load = spawn('mariadb', [...server.words, 'bank'], { stdio: ['pipe', 'ignore', 'ignore'] })
  let number = 0
  const feed = (): void => {
    while (
      !load.killed &&
      load.stdin.write(Array.from({ length: 20 }, () => transfer((number += 1))).join(''))
    ) {
      // Until the pipe is full.
    }
  }
  load.stdin.on('drain', feed)
  load.stdin.on('error', () => {})
  feed()
  return load
}

test(
  'MariaDB under load is at rest in a frozen image',
  { skip: needsPrograms(...PROGRAMS) },
  async (context) => {
    using folder = temporaryFolder()
    using mounted = mountedFileSystem(folder, 'data', { sizeBytes: 512 * MIB })
    const runtime = folder.join('run')
    mkdirSync(runtime)
    install(`${mounted.mountPoint}/db`)
    let counts
    let backedUp
    {
      await using server = await startServer(folder, `${mounted.mountPoint}/db`, 'first')
      server.query(TABLES)
      const load = startLoad(server)
      const ended = once(load, 'exit')
      await eventually(() => countOf(server, 'journal') >= 200)
      const before = countOf(server, 'journal')
      const environment = { PATH: process.env['PATH'] ?? '', RUNTIME_DIRECTORY: runtime }
      backedUp = await backUpFrozen(folder, mounted, { command: [HOOK, ...server.words], environment })
      const after = countOf(server, 'journal')
      await eventually(() => countOf(server, 'journal') > after) // It went on.
      counts = { before, after }
      load.kill('SIGKILL')
      await ended
    }
    assert.deepEqual(readdirSync(runtime), [])
    const { record, restored } = backedUp
    const durations = record.hooks.map(({ durationMs }) => durationMs).join(' and ')
    context.diagnostic(`window ${record.windowMs} ms, hooks ${durations} ms`)
    using image = mountImage(folder, restored, 'restored')
    await using server = await startServer(folder, `${image.path}/db`, 'second')
    assert.equal(server.query('SELECT SUM(balance) FROM bank.accounts'), String(ACCOUNTS * BALANCE))
    const count = countOf(server, 'journal')
    context.diagnostic(`transfers: ${counts.before} before, ${count} restored, ${counts.after} after`)
    assert.ok(counts.before <= count && count <= counts.after)
    // Aria knows no transactions: only because it was at rest it is as new as InnoDB, and needs no repair.
    assert.ok(Math.abs(countOf(server, 'aria_journal') - count) <= 1)
    const checked = server.query('CHECK TABLE bank.aria_journal, bank.journal, bank.accounts')
    assert.doesNotMatch(checked, /error|warning|corrupt/i)
  },
)

test(
  'the hook for MariaDB holds commits back until it is run again, or for a time',
  { skip: needsPrograms(...PROGRAMS) },
  async () => {
    using folder = temporaryFolder()
    const data = folder.join('db')
    install(data)
    await using server = await startServer(folder, data, 'only')
    server.query(TABLES)
    const run = (stage: string, holdSeconds: number): string =>
      runTool(HOOK, server.words, {
        environment: {
          RUNTIME_DIRECTORY: folder.path,
          ICECORE_RUN_ID: 'ab',
          HOLD_SECONDS: String(holdSeconds),
          ICECORE_STAGE: stage,
        },
      })
    const insert = 'INSERT INTO bank.journal (amount) VALUES (1)'
    run('before-freeze', 600)
    assert.throws(() => server.query(`SET SESSION lock_wait_timeout = 1; ${insert}`), /Lock wait timeout/)
    run('after-thaw', 600)
    server.query(insert)
    run('before-freeze', 1)
    server.query(insert) // Waits until the session gives up.
    assert.throws(() => run('after-thaw', 1), /it was not at rest for longer than 1 s|the session has ended/)
    assert.equal(existsSync(folder.join('icecore-mariadb-ab')), false)
  },
)
