import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { SeededStream } from './seeded-stream.ts'

const WORDS = (
  'north window river paper signal orange garden winter copper market letter silver bridge mirror ' +
  'forest number engine supply thread island castle dinner record flower harbor planet button'
).split(' ')
const ROWS_PER_TRANSACTION = 5000

const SCHEMA = `
  pragma page_size = 4096; pragma journal_mode = off; pragma synchronous = off;
  create table orders (
    id integer primary key, customer integer not null, placed_ms integer not null,
    state text not null, token text not null, note text not null, total real not null
  );
  create index orders_by_customer on orders (customer, placed_ms);
  create index orders_by_token on orders (token);
`

/** Writes a real SQLite database of at least `sizeBytes`, with updated and deleted rows, to `path`. */
export function writeSqliteDatabase(path: string, sizeBytes: number, stream: SeededStream): number {
  const database = new DatabaseSync(path)
  try {
    database.exec(SCHEMA)
    let rowCount = 0
    while (rowCount === 0 || statSync(path).size < sizeBytes) {
      rowCount = insertOrders(database, rowCount, stream)
    }
    disturb(database, rowCount, stream)
  } finally {
    database.close()
  }
  return statSync(path).size
}

function insertOrders(database: DatabaseSync, firstId: number, stream: SeededStream): number {
  const insert = database.prepare('insert into orders values (?, ?, ?, ?, ?, ?, ?)')
  const token = Buffer.alloc(16)
  database.exec('begin')
  for (let id = firstId; id < firstId + ROWS_PER_TRANSACTION; id += 1) {
    stream.fill(token)
    const state = ['open', 'paid', 'sent', 'returned'][stream.below(4)] ?? 'open'
    const placedMs = 1_700_000_000_000 + id * 700 + stream.below(700)
    insert.run(
      id,
      stream.below(50_000),
      placedMs,
      state,
      token.toString('hex'),
      note(stream),
      stream.unit() * 900,
    )
  }
  database.exec('commit')
  return firstId + ROWS_PER_TRANSACTION
}

// One row in fifty changes or goes: pages half full and free pages, as in a database that is used.
function disturb(database: DatabaseSync, rowCount: number, stream: SeededStream): void {
  const update = database.prepare('update orders set note = ?, state = ? where id = ?')
  const remove = database.prepare('delete from orders where id = ?')
  database.exec('begin')
  for (let change = 0; change < rowCount / 100; change += 1) {
    update.run(note(stream), 'sent', stream.below(rowCount))
    remove.run(stream.below(rowCount))
  }
  database.exec('commit')
}

function note(stream: SeededStream): string {
  const words: string[] = []
  const wordCount = 3 + stream.below(20)
  for (let index = 0; index < wordCount; index += 1) words.push(WORDS[stream.below(WORDS.length)] ?? '')
  return words.join(' ')
}
