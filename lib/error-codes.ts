/**
 * Every code that an error or a warning of this package has. For the compiler these are names, so
 * an error with a code that is not here does not compile; `npm run docs` makes docs/errors.md of
 * them. Each entry has the classes of the error as its type. Its comment says when it happens, and
 * `@remedy` what to do, with links that are relative to docs/.
 */

/** Errors with a `code`. */
export interface ErrorCodes {
  /**
   * A put that does not wait, `putSync(item)`, found the queue full. The item was not stored.
   *
   * @remedy Wait for room with `await put(item)`, or `putSync(item, { block: true })` in a worker;
   * or use `tryPut(item)`, which returns false. A queue that may lose items takes the option
   * `overflow`. If it is full all the time, its consumers are too slow: see
   * [streams](recipes/streams.md).
   */
  ERR_QUEUE_FULL: 'QueueFullError'
  /**
   * A get that does not wait (`getSync()`, `getManySync(max)`) found the queue empty.
   *
   * @remedy Wait with `await get()`, or `getSync({ block: true })` in a worker; or use `tryGet()`,
   * which returns undefined.
   */
  ERR_QUEUE_EMPTY: 'QueueEmptyError'
  /**
   * A put to a queue that was closed in any thread, a waiting one too; or a get from one that is
   * closed and has nothing left. From `select()`, `source` and `index` say which queue; from
   * `putMany`, `count` says how many items went in.
   *
   * @remedy This is how consumers learn that nothing will come: end your loop. `for await` and
   * `forEach()` end by themselves.
   */
  ERR_QUEUE_CLOSED: 'QueueClosedError'
  /**
   * The `timeout` of a call passed first. The call has taken and stored nothing, but for `putMany`
   * and `putManySync`, whose error has `count`: that many items went in and stay.
   *
   * @remedy Try again, or find out who should have come: `queue.stats()`, and
   * [troubleshooting](troubleshooting.md).
   */
  ERR_TIMEOUT: 'TimeoutError'
  /**
   * `lendSync()` without `block` found that all buffers of the pool are lent, or passed on and not
   * taken yet.
   *
   * @remedy Wait with `await lend()` or `lendSync({ block: true })`, or use `tryLend()`. If no
   * buffer ever comes back, somebody keeps leases, or does not take tokens: `pool.stats()` counts
   * both.
   */
  ERR_POOL_EMPTY: 'PoolEmptyError'
  /**
   * A lease was used after it was passed on or released, or a token was taken that has been taken
   * before or is of another pool.
   *
   * @remedy Take each token once, from the pool that made it. Do not use a lease after `pass()`,
   * `release()`, or the end of its `using` block.
   */
  ERR_LEASE_ENDED: 'RangeError'
  /**
   * The item is larger than the whole queue (`capacity` times `itemBytes`), the value longer than
   * the message's `maxBytes`, or the arguments or the result of a job larger than the 64 MiB that a
   * `Context` passes on. Nothing was stored.
   *
   * @remedy Create the queue with the `itemBytes`, or the message with the `maxBytes`, that the
   * error names; or send large data in a [`BufferPool`](recipes/buffers.md), or in parts.
   */
  ERR_ITEM_TOO_LARGE: 'RangeError'
  /**
   * `acquireSync()` where code of this very thread holds the lock: it would wait for itself.
   *
   * @remedy Release the lock first. A lock is not recursive; pass the `Held` to the function that
   * needs it, instead of letting that acquire again.
   */
  ERR_LOCK_DEADLOCK: 'Error'
  /**
   * The worker of a `Context` ended in the middle of this job: an uncaught exception,
   * `process.exit()` in the job, or the heap's limit. `cause` says which.
   *
   * @remedy Mend the job; [a worker that dies](recipes/dying-worker.md) shows what else can be
   * done. The other jobs go on in a new worker, each once; this one is not repeated, since nobody
   * knows how far it came.
   */
  ERR_CONTEXT_CRASHED: 'ThreadSafeError'
  /**
   * A job was assigned after `close()`, was not done at `terminate()`, or the context's module
   * can't be loaded; then `cause` says why.
   *
   * @remedy Read `cause`. A context that is closed stays closed: make another.
   */
  ERR_CONTEXT_CLOSED: 'ThreadSafeError'
  /**
   * The function given to `record.update()` wrote to the same record itself, each of the 100 times
   * that it ran, so its own update could never be made.
   *
   * @remedy Let it only return the fields to write.
   */
  ERR_UPDATE_WRITES: 'Error'
  /**
   * The handle was made by a version, or a copy, of the package whose memory has another layout, or
   * its memory holds an object of another kind.
   *
   * @remedy Let all threads load the same version: `npm ls threadsafe` shows whether there are two.
   */
  ERR_INCOMPATIBLE_HANDLE: 'Error'
  /**
   * Something in the process has written over the object's shared memory: JavaScript with a view of
   * it, or a native addon with a stray pointer. What is left in the object can't be read.
   *
   * @remedy Look for who writes through views of `handle.memory`, and for addons that write beyond
   * their buffers. Create the object anew.
   */
  ERR_DAMAGED_MEMORY: 'Error'
  /**
   * An argument or option is of the wrong type, or an item is not of the queue's type. Nothing was
   * changed. The message says which, what it should be, and what it was.
   *
   * @remedy Pass what the message says. A frequent case: `from()` takes `queue.handle`, not the
   * queue.
   */
  ERR_INVALID_ARG_TYPE: 'TypeError'
  /**
   * An argument or option has a value that is not among those allowed: an unknown `type`, signal or
   * policy, an array of another length than the queue's, a function that the context's module does
   * not export. Nothing was changed.
   *
   * @remedy Pass one of the values that the message lists.
   */
  ERR_INVALID_ARG_VALUE: 'TypeError'
  /**
   * A number or size is too small or too large: a capacity, a timeout below 0, an `into` that is
   * too short for the item (which stays in the queue), a `taskDone()` beyond what was got.
   *
   * @remedy Pass a value in the range that the message names.
   */
  ERR_OUT_OF_RANGE: 'RangeError'
  /**
   * `RedisQueue.open()`: the server keeps no append-only file, so it would lose accepted items when
   * it is killed.
   *
   * @remedy Set `appendonly yes` there.
   */
  ERR_REDIS_NOT_PERSISTENT: 'Error'
  /**
   * `RedisQueue.open()`: the server has an eviction policy, so it would drop accepted items when
   * its memory is full.
   *
   * @remedy Set `maxmemory-policy noeviction` there, and bound the queue with `capacity`.
   */
  ERR_REDIS_EVICTS: 'Error'
  /**
   * `RedisQueue.open()`: the server is older than Redis 6.2, and can't pass on the items of
   * consumers that died.
   *
   * @remedy Use Redis 6.2 or newer, or Valkey.
   */
  ERR_REDIS_TOO_OLD: 'Error'
  /**
   * `RedisQueue.open()`: the client is connected to one server of a cluster, and another has the
   * queue's keys, or none serves them at the moment.
   *
   * @remedy Use a client that knows clusters, such as `Cluster` of ioredis. If the cluster is down,
   * open the queue when all its slots are served.
   */
  ERR_REDIS_CLUSTER: 'Error'
  /**
   * `RedisQueue`: the client that the queue was opened with is closed, or was never connected.
   *
   * @remedy Connect the client before `RedisQueue.open()`, and `detach()` the queue before you
   * close it.
   */
  ERR_REDIS_CLIENT_CLOSED: 'Error'
  /**
   * The system has none of this: signal sources on Windows; `SignalTimer` and values of
   * `sendSignal()` on macOS.
   *
   * @remedy Ask for `process.platform` first, and use `process.on()` and `setInterval()` there.
   */
  ERR_FEATURE_UNAVAILABLE_ON_PLATFORM: 'Error'
}

/** Errors that are known by something else than a code of this package. */
export interface OtherErrors {
  /**
   * `name` of an error from `putSync`, `put`, `set`, `assign` and their like: the value holds what
   * can't be cloned (a function, a symbol, a proxy), or what means something in one thread only (a
   * SharedArrayBuffer, a MessagePort, a handle). Nothing was stored.
   *
   * @remedy The message says what to do instead. Handles and shared memory travel by `workerData`
   * and `postMessage`.
   */
  DataCloneError: 'DOMException'
  /**
   * `name` of the default reason of an `AbortSignal`. A call with a `signal` rejects with
   * `signal.reason`, whatever that is: of `AbortSignal.timeout()` it is a `DOMException` named
   * `TimeoutError`, which is not this package's class of that name.
   *
   * @remedy The call has taken and stored nothing; that of `putMany` has `count`.
   */
  AbortError: 'DOMException'
  /**
   * `code` of an error from `attachSignal()`, `new SignalTimer()` or `sendSignal()`, as the system
   * names it: no such process (`ESRCH`), not allowed (`EPERM`), or too many signals and timers of
   * this user (`EAGAIN`).
   *
   * @remedy As for any system call. `EAGAIN`: `ulimit -i` is the number of real-time signals and
   * timers that may be pending.
   */
  'ESRCH, EPERM, EAGAIN': 'Error'
  /**
   * A message that begins with `threadsafe:`, without a code, when the package is imported: there
   * is no addon for this platform, it is for another processor or C library, it is incomplete, Node
   * may not load addons, or a bundler has taken the package in.
   *
   * @remedy The message says what to do; [install](install.md#when-it-does-not-load) says more.
   */
  'threadsafe: …': 'Error'
  /**
   * A message that begins with `threadsafe: no memory of`, from any constructor: the process has no
   * address space, or no memory, left for another object.
   *
   * @remedy Each object reserves about 10 GiB of address space, so some thousands fit. Reuse
   * queues, or drop all references to those that are done, in all threads.
   */
  'threadsafe: no memory of …': 'Error'
}

/** Process warnings, which `process.on('warning')` gets. */
export interface WarningCodes {
  /**
   * A synchronous call has blocked the main thread's event loop for over a second. Once in a
   * process, on standard error, while it still blocks.
   *
   * @remedy Await the asynchronous call there, or block in a worker.
   * `--disable-warning=THREADSAFE_BLOCKED_LOOP` silences it.
   */
  THREADSAFE_BLOCKED_LOOP: 'Warning'
}

/** The `code` of an error of this package. */
export type ErrorCode = keyof ErrorCodes
