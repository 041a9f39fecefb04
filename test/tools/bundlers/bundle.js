// Bundles app.js with the bundler that the argument names, as an ES module and as CommonJS. With
// the package external, as docs/install.md says, the bundle works. With the package inside, it says
// what to do, at the latest when the package's files are gone.
import { execFileSync } from 'node:child_process'
import { renameSync } from 'node:fs'
import { basename, resolve } from 'node:path'

const BUNDLERS = {
  async esbuild(format, external, outfile) {
    const { build } = await import('esbuild')
    const options = external ? { external: ['threadsafe'] } : {}
    await build({ entryPoints: ['app.js'], bundle: true, platform: 'node', logLevel: 'error', format, outfile, ...options })
  },

  async rollup(format, external, file) {
    const { rollup } = await import('rollup')
    const { default: nodeResolve } = await import('@rollup/plugin-node-resolve')
    const options = external ? { external: [/^threadsafe/] } : {}
    const bundle = await rollup({ input: 'app.js', plugins: [nodeResolve()], onwarn() {}, ...options })
    await bundle.write({ file, format })
  },

  async webpack(format, external, file) {
    const { default: webpack } = await import('webpack')
    const output = {
      path: resolve('.'),
      filename: basename(file),
      ...(format === 'esm' ? { module: true, library: { type: 'module' } } : {}),
    }
    const experiments = { outputModule: format === 'esm' }
    const options = external ? { externals: { threadsafe: 'import threadsafe', 'threadsafe/redis': 'import threadsafe/redis' } } : {}
    const compiler = webpack({ mode: 'production', target: 'node20', entry: './app.js', output, experiments, ...options })
    const stats = await new Promise((done, failed) => compiler.run((error, result) => (error ? failed(error) : done(result))))
    if (stats.hasErrors()) throw new Error(stats.toString({ all: false, errors: true }))
  },
}

const HERE = 'node_modules/threadsafe'
const AWAY = 'node_modules/threadsafe.away'

function run(file) {
  try {
    return execFileSync(process.execPath, [file], { encoding: 'utf8', stdio: 'pipe' })
  } catch ({ stdout, stderr }) {
    return `${stdout}${stderr}`
  }
}

function expect(what, output, pattern) {
  if (!pattern.test(output)) throw new Error(`${what} printed\n${output}`)
}

const [name] = process.argv.slice(2)
const REFUSED = /threadsafe: .*seems to have been bundled.*external: \['threadsafe'\]/
for (const format of ['esm', 'cjs']) {
  const file = `bundle.${format === 'esm' ? 'mjs' : 'cjs'}`
  await BUNDLERS[name](format, true, file)
  expect(`${file}, with the package external,`, run(file), /^works\n$/)
  await BUNDLERS[name](format, false, file)
  // webpack writes the package's path into the bundle, so it may work here.
  expect(`${file}, with the package inside,`, run(file), name === 'webpack' ? new RegExp(`^works\n$|${REFUSED.source}`) : REFUSED)
  renameSync(HERE, AWAY)
  try {
    expect(`${file}, away from the package,`, run(file), REFUSED)
  } finally {
    renameSync(AWAY, HERE)
  }
}
