import { connect } from 'node:net';

/** Sends these bytes to a port of this computer and settles to everything that came back until the connection closed. */
export function rawRequest(port: number, text: string | Uint8Array): Promise<string> {
  return new Promise((settle, reject) => {
    const socket = connect(port, '127.0.0.1');
    const pieces: Buffer[] = [];
    socket.on('data', (piece: Buffer) => pieces.push(piece));
    socket.once('error', (error) => (pieces.length > 0 ? settle(Buffer.concat(pieces).toString('latin1')) : reject(error)));
    socket.once('close', () => settle(Buffer.concat(pieces).toString('latin1')));
    // Not ended: a server may take the end of what we send for a caller who has gone.
    socket.write(text);
  });
}

export interface RequestParts {
  readonly method?: string;
  readonly path?: string;
  /** Null leaves a header out that would be sent otherwise. */
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly body?: string;
}

/** The text of a request as a well-meaning client with `token` would send it, changed by `parts`. */
export function requestText(
  port: number,
  token: string,
  { method = 'POST', path = '/api/call/servers.list', headers = {}, body = '{}' }: RequestParts,
): string {
  const all: Record<string, string | null> = {
    host: `127.0.0.1:${port}`,
    authorization: `Bearer ${token}`,
    'content-type': method === 'POST' ? 'application/json' : null,
    'content-length': method === 'POST' ? String(Buffer.byteLength(body)) : null,
    connection: 'close',
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) => (value === null ? [] : [`${name}: ${value}`]));
  return `${method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${method === 'POST' ? body : ''}`;
}

export function statusOf(reply: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(reply)?.[1] ?? 0);
}
