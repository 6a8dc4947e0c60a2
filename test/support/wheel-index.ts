import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface WheelIndex {
  /** Address to be given as the index. */
  readonly address: string;
  /** What was asked for: paths, with the range if one was. */
  readonly requests: string[];
  /** How the next requests for wheels are answered. */
  answer: 'whole' | 'part' | 'cut off' | 'wrong';
  readonly close: () => void;
}

/** A Python package index on this machine, as JSON or as a page for people. */
export async function serveWheels(
  wheels: Readonly<Record<string, { readonly project: string; readonly bytes: Buffer }>>,
  format: 'json' | 'html' = 'json',
): Promise<WheelIndex> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const range = request.headers.range;
    requests.push(`${request.url ?? ''}${range === undefined ? '' : ` ${range}`}`);
    const name = (request.url ?? '').split('/').findLast((part) => part !== '') ?? '';
    const wheel = wheels[name];
    if (wheel !== undefined) sendWheel(index.answer, wheel.bytes, request, response);
    else sendPage(name, response);
  });

  function sendPage(project: string, response: ServerResponse): void {
    const files = Object.entries(wheels).filter(([, wheel]) => wheel.project === project);
    if (files.length === 0) response.writeHead(404).end();
    else if (format === 'json') {
      response.setHeader('content-type', 'application/vnd.pypi.simple.v1+json');
      const listed = files.map(([filename, { bytes }]) => ({
        filename,
        url: `../../files/${filename}`,
        size: bytes.length,
      }));
      response.end(JSON.stringify({ files: listed }));
    } else {
      response.setHeader('content-type', 'text/html');
      response.end(files.map(([file]) => `<a href="../../files/${file}#sha256=0">${file}</a>`).join('\n'));
    }
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const index: WheelIndex = {
    address: `http://127.0.0.1:${port}/simple`,
    requests,
    answer: 'part',
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return index;
}

function sendWheel(
  answer: WheelIndex['answer'],
  bytes: Buffer,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (answer === 'wrong') {
    response.end(Buffer.alloc(bytes.length));
  } else if (answer === 'cut off') {
    response.setHeader('content-length', bytes.length);
    response.write(bytes.subarray(0, bytes.length / 2), () => setTimeout(() => response.destroy(), 100));
  } else {
    const start = answer === 'part' ? Number(/\d+/.exec(request.headers.range ?? '')?.[0] ?? 0) : 0;
    response.writeHead(start > 0 ? 206 : 200).end(bytes.subarray(start));
  }
}
