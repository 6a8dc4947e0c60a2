// @ts-check
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

/** @typedef {import('../packages.mjs').Manifest} Manifest */
/** @typedef {{ manifest: Manifest, tarball: string | null }} Published a package; without a tarball, only its description */
/** @typedef {{ status?: number, type?: string, body: Buffer | string }} Answer */

/**
 * Serves packages as a registry of npm does, as if they had been published; everything else comes from `upstream`.
 * @param {readonly Published[]} published
 * @param {string} upstream address of the registry that has the dependencies
 */
export async function startRegistry(published, upstream) {
  const base = upstream.replace(/\/$/, '');
  const packages = new Map(published.map((each) => [each.manifest.name, each]));
  let address = '';

  /**
   * @param {string} url
   * @param {string} accept
   * @returns {Promise<Answer>}
   */
  async function answer(url, accept) {
    const [name = '', file] = decodeURIComponent(url).slice(1).split('/-/');
    const found = packages.get(name);
    if (found === undefined) return await forward(url, accept);
    if (file === undefined) return { type: 'application/json', body: describePackage(found, address) };
    return found.tarball === null ? { status: 404, body: '' } : { body: readFileSync(found.tarball) };
  }

  /**
   * @param {string} url
   * @param {string} accept
   * @returns {Promise<Answer>}
   */
  async function forward(url, accept) {
    const response = await fetch(`${base}${url}`, { headers: { accept } });
    const type = response.headers.get('content-type') ?? 'application/octet-stream';
    const isText = type.includes('json');
    const body = isText
      ? (await response.text()).replaceAll(base, address)
      : Buffer.from(await response.arrayBuffer());
    return { status: response.status, type, body };
  }

  const server = createServer((request, response) => {
    void answer(request.url ?? '/', request.headers.accept ?? '*/*')
      .catch((/** @type {unknown} */ error) => ({ status: 502, type: 'text/plain', body: String(error) }))
      .then(({ status = 200, type = 'application/octet-stream', body }) => {
        response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
        response.end(body);
      });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  address = `http://127.0.0.1:${bound !== null && typeof bound === 'object' ? bound.port : ''}`;
  return {
    address,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/**
 * @param {Published} each
 * @param {string} address
 */
function describePackage({ manifest, tarball }, address) {
  const { name, version } = manifest;
  const content = tarball === null ? name : readFileSync(tarball);
  const dist = {
    tarball: `${address}/${name}/-/${name.replace(/^.*\//, '')}-${version}.tgz`,
    integrity: `sha512-${createHash('sha512').update(content).digest('base64')}`,
    shasum: createHash('sha1').update(content).digest('hex'),
  };
  // Package managers wait some days before they trust a new version.
  const day = '2026-01-01T00:00:00.000Z';
  return JSON.stringify({
    name,
    'dist-tags': { latest: version },
    versions: { [version]: { ...manifest, _id: `${name}@${version}`, dist } },
    time: { created: day, modified: day, [version]: day },
  });
}
