// The platforms for which the package has a prebuild.

function target(platform, arch, libc, zigTarget) {
  const name = [platform, arch, libc].filter(Boolean).join('-')
  return {
    name,
    platform,
    arch,
    libc,
    zigTarget,
    file: `prebuilds/${platform}-${arch}/${['threadsafe', libc, 'node'].filter(Boolean).join('.')}`,
  }
}

/** The lowest glibc that Node 20 runs on. A build may need an even older one. */
export const GLIBC = '2.28'

export const TARGETS = [
  target('linux', 'x64', 'glibc', `x86_64-linux-gnu.${GLIBC}`),
  target('linux', 'arm64', 'glibc', `aarch64-linux-gnu.${GLIBC}`),
  target('linux', 'x64', 'musl', 'x86_64-linux-musl'),
  target('linux', 'arm64', 'musl', 'aarch64-linux-musl'),
  target('darwin', 'x64', undefined, 'x86_64-macos.11.0'),
  target('darwin', 'arm64', undefined, 'aarch64-macos.11.0'),
  target('win32', 'x64', undefined, 'x86_64-windows-gnu'),
]
