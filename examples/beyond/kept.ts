/** A value in a file, which a process that is killed leaves as it was before or after a save. */
import { readFile, rename, writeFile } from 'node:fs/promises'
import { deserialize, serialize } from 'node:v8'

export class Kept<T> {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  /** Resolves to undefined if nothing was saved. */
  async load(): Promise<T | undefined> {
    try {
      return deserialize(await readFile(this.#path)) as T
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }

  async save(value: T): Promise<void> {
    await writeFile(`${this.#path}.new`, serialize(value))
    await rename(`${this.#path}.new`, this.#path)
  }
}
