/**
 * Tables of wrong calls, with the error that each must fail with, and the objects on which they are
 * made, which must not change.
 */
import { strict as assert } from 'node:assert'
import { record, ThreadSafeEvent, ThreadSafeQueue } from '../../lib/index.js'
import { rejection, thrown } from '../support.js'

const CLASSES = { ERR_INVALID_ARG_TYPE: TypeError, ERR_INVALID_ARG_VALUE: TypeError, ERR_OUT_OF_RANGE: RangeError }
export type Code = keyof typeof CLASSES
export const [TYPE, VALUE, RANGE] = ['ERR_INVALID_ARG_TYPE', 'ERR_INVALID_ARG_VALUE', 'ERR_OUT_OF_RANGE'] as const

/** Casts a value that the compiler would reject. */
export function wrong<T>(value: unknown): T {
  return value as T
}

/** Makes a queue of each kind with room for one more item, and an event. */
function makeObjects() {
  const objects = {
    any: new ThreadSafeQueue(2, { itemBytes: 16 }),
    string: new ThreadSafeQueue<string>(2, { type: 'string' }),
    bytes: new ThreadSafeQueue<Uint8Array>(2, { type: 'bytes' }),
    boolean: new ThreadSafeQueue<boolean>(2, { type: 'boolean' }),
    int32: new ThreadSafeQueue<number>(2, { type: 'int32' }),
    float64: new ThreadSafeQueue<number>(2, { type: 'float64' }),
    bigint64: new ThreadSafeQueue<bigint>(2, { type: 'bigint64' }),
    record: new ThreadSafeQueue<{ x: number; t: bigint; on: boolean }>(2, {
      type: record({ x: 'float64', t: 'biguint64', on: 'boolean' }),
    }),
    arrays: new ThreadSafeQueue<{ samples: Float32Array; id: Uint8Array }>(2, { type: record({ samples: 'float32[2]', id: 'bytes[4]' }) }),
    event: new ThreadSafeEvent(),
  }
  objects.any.putSync('first')
  objects.string.putSync('first')
  objects.bytes.putSync(new Uint8Array([1]))
  objects.boolean.putSync(true)
  objects.int32.putSync(1)
  objects.float64.putSync(1)
  objects.bigint64.putSync(1n)
  objects.record.putSync({ x: 1, t: 1n, on: true })
  objects.arrays.putSync({ samples: new Float32Array(2), id: new Uint8Array(4) })
  return objects
}
export type Objects = ReturnType<typeof makeObjects>

export const objects = makeObjects()

/** Asserts that all objects are as they were made: nothing was put, got, closed or set. */
export function assertUnchanged(): void {
  for (const [name, object] of Object.entries(objects)) {
    if (object instanceof ThreadSafeEvent) {
      assert.equal(object.isSet(), false, `${name} was set`)
    } else {
      assert.equal(object.qsize(), 1, `qsize of ${name}`)
      assert.equal(object.closed, false, `${name} was closed`)
    }
  }
}

/**
 * The call in words, the call, the code, and what the message must name: the argument, what it
 * should be, and what it was.
 */
export type Row = [call: string, run: (o: Objects) => unknown, code: Code, name: string, expected: string, received: string]

export function assertError(error: unknown, [, , code, name, expected, received]: Row): void {
  assert.ok(error instanceof CLASSES[code], `${CLASSES[code].name}, not ${String(error)}`)
  assert.equal((error as Error & { code?: unknown }).code, code)
  const { message } = error
  const parts = [`"${name}"`, expected, 'Received', received]
  let at = 0
  for (const part of parts) {
    const found = message.indexOf(part, at)
    assert.notEqual(found, -1, `"${message}" should tell, in this order, ${parts.join(' ... ')}`)
    at = found + part.length
  }
}

export const options = <T>(value: unknown) => wrong<T>(value)

export function testThrows(rows: Row[]): void {
  for (const row of rows) {
    it(`${row[0]} throws ${row[2]}`, () => {
      assertError(
        thrown(() => row[1](objects)),
        row,
      )
      assertUnchanged()
    })
  }
}

export function testRejects(rows: Row[]): void {
  for (const row of rows) {
    it(`${row[0]} rejects with ${row[2]}`, async () => {
      // There is no handler here, so that throwing instead of rejecting fails the test.
      const promise = row[1](objects) as Promise<unknown>
      assertError(await rejection(promise), row)
      assertUnchanged()
    })
  }
}
