/** The jobs of blocking.ts: synchronous functions, which run in the worker of a Context. */
import { scryptSync } from 'node:crypto'
import { createRequire } from 'node:module'

/** The part of node:sqlite that is used here. */
interface Sqlite {
  DatabaseSync: new (file: string) => Database
}
interface Database {
  exec(sql: string): void
  prepare(sql: string): { all(...values: unknown[]): unknown[]; run(...values: unknown[]): unknown }
}

let open: { file: string; database: Database } | undefined

/** Opens a file once, as the module lives as long as its worker. */
function databaseOf(file: string): Database {
  if (open?.file !== file) {
    const { DatabaseSync } = createRequire(import.meta.url)('node:sqlite') as Sqlite
    open = { file, database: new DatabaseSync(file) }
  }
  return open.database
}

/** Makes a table of measurements in a new database. */
export function fill(file: string, rows: number): void {
  const database = databaseOf(file)
  database.exec('create table samples (sensor integer, value real)')
  const insert = database.prepare('insert into samples values (?, ?)')
  database.exec('begin')
  for (let k = 0; k < rows; k++) insert.run(k % 7, Math.sin(k))
  database.exec('commit')
}

/** Counts the pairs of measurements of one sensor that rise, which takes the database long. */
export function risingPairs(file: string): { sensor: number; pairs: number }[] {
  const sql = `select a.sensor as sensor, count(*) as pairs from samples a join samples b
    on b.sensor = a.sensor and b.value > a.value group by a.sensor order by a.sensor`
  return databaseOf(file)
    .prepare(sql)
    .all()
    .map((row) => ({ ...(row as { sensor: number; pairs: number }) }))
}

/** Derives a key from a password, which is slow on purpose. */
export function deriveKey(password: string, salt: string): Uint8Array {
  return scryptSync(password, salt, 32, { N: 2 ** 16, maxmem: 2 ** 27 })
}
