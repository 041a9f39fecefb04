// Joins the addon's sources of one directory to one: `node join.cjs SYSTEM OUTPUT DIRECTORY...`. Most
// of what each takes to compile goes into the headers of Node-API and the C++ library, so that they
// compile in a quarter of the time. binding.gyp runs this.
'use strict'
const { writeFileSync } = require('node:fs')
const process = require('node:process')
const sources = require('./sources.json')

const [system, output, ...directories] = process.argv.slice(2)
const included = [...sources.common, ...sources[system === 'win' ? 'windows' : 'posix']]
  .map((path) => path.replace('native/', ''))
  .filter((path) => directories.includes(path.split('/')[0]))
writeFileSync(output, included.map((path) => `#include "${path}"\n`).join(''))
