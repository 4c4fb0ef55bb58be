import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closed, listening } from './serve.ts';

export interface ConnectProxy {
  /** For HTTPS_PROXY. */
  readonly url: string;
  /** PEM file of the authority that signed for the hosts. */
  readonly caFile: string;
  close(): Promise<void>;
}

/**
 * What `https://HOST/…` leads to for a program that goes through this proxy: the handler, whatever host of `hosts` was meant. So a client
 * whose addresses are fixed speaks to a server of the tests; any other host is refused.
 */
export async function startConnectProxy(
  hosts: readonly string[],
  handler: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<ConnectProxy> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-ca-'));
  const files = { key: join(folder, 'key.pem'), cert: join(folder, 'cert.pem') };
  const made = spawnSync(
    'openssl',
    // prettier-ignore
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=Holdfast tests',
      '-addext', `subjectAltName=${hosts.map((host) => `DNS:${host}`).join(',')}`, '-keyout', files.key, '-out', files.cert],
    { encoding: 'utf8' },
  );
  if (made.status !== 0) throw new Error(`openssl made no certificate: ${made.stderr}`);
  const inner = createTlsServer({ key: readFileSync(files.key), cert: readFileSync(files.cert) }, handler);
  const innerPort = await listening(inner);
  const proxy = createServer((_, response) => response.writeHead(405).end());
  const sockets = new Set<Socket>();
  proxy.on('connect', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    sockets.add(socket);
    if (!hosts.includes((request.url ?? '').replace(/:443$/, ''))) {
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
      return;
    }
    const onward = connect(innerPort, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    onward.on('error', () => socket.destroy());
    socket.on('error', () => onward.destroy());
    socket.on('close', () => sockets.delete(socket));
  });
  const port = await listening(proxy);
  return {
    url: `http://127.0.0.1:${port}`,
    caFile: files.cert,
    async close() {
      for (const socket of sockets) socket.destroy();
      await closed(proxy);
      await closed(inner);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
