/** Describes the machine that the figures were measured on. */
import { execFileSync } from 'node:child_process'
import { cpus, release, totalmem, type } from 'node:os'
import type { Machine } from '../report/result.js'
import { root } from './paths.js'

const GIB = 2 ** 30

function commit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return 'unknown'
  }
}

export function machine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / GIB),
    os: type(),
    kernel: release(),
    node: process.version,
    v8: process.versions.v8,
    commit: commit(),
  }
}

export function describe({ cpu, cores, memoryGiB, os, kernel, node, commit }: Machine): string {
  return `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${os} ${kernel}, Node ${node}, commit ${commit}`
}
