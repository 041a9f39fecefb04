// Checks the C and C++ sources against .clang-format, or formats them with `--write`. clang-format
// 19 is a Debian package. If it is missing, this says so and passes, unless `--required` is given,
// as in .ci/run.
import { spawnSync } from 'node:child_process'

const VERSION = 19
const FOLDERS = ['native', 'test/fixtures/addon']

const [write, required] = ['--write', '--required'].map((option) => process.argv.includes(option))

// Only this version will do, as each version formats a little differently.
const program = [`clang-format-${VERSION}`, 'clang-format'].find((name) => {
  const { stdout } = spawnSync(name, ['--version'], { encoding: 'utf8' })
  return stdout?.includes(`version ${VERSION}.`)
})

if (program === undefined) {
  console.error(
    `the format of C++ was not checked, as there is no clang-format ${VERSION} on the path (apt-get install clang-format-${VERSION})`,
  )
  process.exit(required ? 1 : 0)
}

const patterns = FOLDERS.flatMap((folder) => ['h', 'cc', 'c'].map((extension) => `${folder}/*.${extension}`))
const { stdout, status: listed } = spawnSync('git', ['ls-files', ...patterns], { encoding: 'utf8' })
if (listed !== 0) throw new Error('git could not list the sources')
const files = stdout.trim().split('\n')
const { status } = spawnSync(program, [...(write ? ['-i'] : ['--dry-run', '-Werror']), ...files], { stdio: 'inherit' })
if (status !== 0) console.error('`npm run format` formats them')
process.exit(status ?? 1)
