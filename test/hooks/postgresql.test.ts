import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { eventually } from '../support/eventually.ts'
import { mountedFileSystem } from '../support/mounted-file-system.ts'
import { runTool } from '../support/run-tool.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { backUpFrozen, mountImage } from './frozen-copy.ts'
import { needsPrograms, programPath } from './programs.ts'

const HOOK = fileURLToPath(new URL('../../docs/hooks/postgresql.sh', import.meta.url))
const PROGRAMS = ['initdb', 'postgres', 'pg_ctl', 'pgbench', 'psql', 'runuser'] as const
const MIB = 1024 * 1024
/** The balances that pgbench moves about, and the history that it writes in the same transaction. */
const SUMS = `SELECT (SELECT sum(abalance) FROM pgbench_accounts), (SELECT sum(tbalance) FROM pgbench_tellers),
  (SELECT sum(bbalance) FROM pgbench_branches), (SELECT coalesce(sum(delta), 0) FROM pgbench_history)`

/** Runs a program as the user who owns the database, which refuses to run as root. */
function asPostgres(program: string, words: readonly string[]): string {
  return runTool('runuser', ['-u', 'postgres', '--', programPath(program), ...words])
}

type Server = Disposable & { query(sql: string): string; readonly words: readonly string[] }

function startServer(data: string, socketFolder: string): Server {
  const options = `-c listen_addresses= -c unix_socket_directories=${socketFolder}`
  try {
    asPostgres('pg_ctl', ['start', '-w', '-D', data, '-o', options, '-l', `${socketFolder}/log`])
  } catch (error) {
    throw new Error(readFileSync(`${socketFolder}/log`, 'utf8'), { cause: error })
  }
  const words = ['-h', socketFolder, '-U', 'postgres']
  return {
    words,
    query: (sql) => runTool('psql', ['-X', '-A', '-t', ...words, '-c', sql, 'postgres']).trim(),
    [Symbol.dispose]: () => void asPostgres('pg_ctl', ['stop', '-w', '-m', 'immediate', '-D', data]),
  }
}

test(
  'PostgreSQL under load recovers from a frozen image',
  { skip: needsPrograms(...PROGRAMS) },
  async (context) => {
    using folder = temporaryFolder()
    chmodSync(folder.path, 0o755)
    using mounted = mountedFileSystem(folder, 'data', { sizeBytes: 400 * MIB })
    const [userId = '0', groupId = '0'] = ['-u', '-g'].map((word) => runTool('id', [word, 'postgres']).trim())
    const sockets = ['first', 'second'].map((name) => folder.join(name))
    for (const path of [...sockets, `${mounted.mountPoint}/pg`]) {
      mkdirSync(path, { mode: 0o755 })
      chownSync(path, Number(userId), Number(groupId))
    }
    const [firstSocket = '', secondSocket = ''] = sockets
    asPostgres('initdb', ['-A', 'trust', '--no-sync', '-U', 'postgres', '-D', `${mounted.mountPoint}/pg`])
    let countAtStart: number
    let countAfter: number
    let backedUp
    {
      using server = startServer(`${mounted.mountPoint}/pg`, firstSocket)
      const count = (): number => Number(server.query('SELECT count(*) FROM pgbench_history'))
      runTool('pgbench', ['-i', '-q', '-s', '2', ...server.words, 'postgres'])
      const load = spawn('pgbench', ['-n', '-c', '4', '-T', '120', ...server.words, 'postgres'], {
        stdio: 'ignore',
      })
      const ended = once(load, 'exit')
      await eventually(() => count() >= 200)
      countAtStart = count()
      const environment = { PATH: process.env['PATH'] ?? '' }
      backedUp = await backUpFrozen(folder, mounted, { command: [HOOK, ...server.words], environment })
      countAfter = count()
      load.kill('SIGKILL')
      await ended
    }
    const { record, restored } = backedUp
    context.diagnostic(`window ${record.windowMs} ms, hook ${record.hooks[0]?.durationMs} ms`)
    using image = mountImage(folder, restored, 'restored')
    // It names a process of the moment of the freeze; on another host nothing has to be removed.
    rmSync(`${image.path}/pg/postmaster.pid`)
    using server = startServer(`${image.path}/pg`, secondSocket)
    const sums = server.query(SUMS).split('|')
    assert.equal(new Set(sums).size, 1, sums.join(' '))
    const count = Number(server.query('SELECT count(*) FROM pgbench_history'))
    context.diagnostic(`transactions: ${countAtStart} before, ${count} restored, ${countAfter} after`)
    assert.ok(countAtStart <= count && count <= countAfter)
    assert.match(readFileSync(`${secondSocket}/log`, 'utf8'), /automatic recovery in progress/)
    runTool('pgbench', ['-n', '-c', '2', '-t', '50', ...server.words, 'postgres'])
  },
)
