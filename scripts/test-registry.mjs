// A registry of npm packages on this machine, for test-install.mjs: it has the packed package under
// its name, so that `npm install threadsafe` means that one, and asks the real registry for all
// else. It runs in a worker, as the other thread blocks while a package manager runs. Sends its
// URL when it listens, and runs until the worker is terminated.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { parentPort, workerData } from 'node:worker_threads'

const { manifest, tarball, upstream } = workerData
const { name, version } = manifest
const packed = readFileSync(tarball)
const path = `/${name}/-/${name}-${version}.tgz`
// Package managers may refuse what was published a short time ago.
const published = '2026-01-01T00:00:00.000Z'

function metadata(origin) {
  const dist = {
    tarball: `${origin}${path}`,
    integrity: `sha512-${createHash('sha512').update(packed).digest('base64')}`,
    shasum: createHash('sha1').update(packed).digest('hex'),
  }
  return JSON.stringify({
    name,
    'dist-tags': { latest: version },
    versions: { [version]: { ...manifest, dist } },
    time: { created: published, modified: published, [version]: published },
  })
}

/**
 * Passes a request on to the real registry. A redirection would be shorter, but not all package
 * managers follow it.
 */
async function askUpstream({ method, url, headers }, body) {
  const kept = ['accept', 'content-type', 'content-encoding'].filter((header) => headers[header])
  const reply = await fetch(new URL(`.${url}`, upstream), {
    method,
    headers: Object.fromEntries(kept.map((header) => [header, headers[header]])),
    body: body.length > 0 ? body : undefined,
  })
  return { status: reply.status, type: reply.headers.get('content-type'), body: Buffer.from(await reply.arrayBuffer()) }
}

async function respond(request) {
  const { url, headers } = request
  if (url === path) return { status: 200, type: 'application/octet-stream', body: packed }
  if (url === `/${name}`) return { status: 200, type: 'application/json', body: metadata(`http://${headers.host}`) }
  return askUpstream(request, Buffer.concat(await request.toArray()))
}

const server = createServer((request, response) => {
  respond(request).then(
    ({ status, type, body }) => response.writeHead(status, { 'content-type': type ?? 'text/plain' }).end(body),
    (error) => response.writeHead(502).end(String(error)),
  )
})
server.listen(0, '127.0.0.1', () => parentPort.postMessage(`http://127.0.0.1:${server.address().port}/`))
