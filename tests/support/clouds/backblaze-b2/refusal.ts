import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendJson } from '../serve.ts';

/** What B2 answers instead of doing it: `{ status, code, message }`. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message = code, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** Only once all has been read, as a client that still writes would see a broken pipe instead of the answer. */
export function sendRefusal(request: IncomingMessage, response: ServerResponse, { status, code, message, headers }: Refusal): void {
  const answer = (): void => {
    if (response.headersSent || response.destroyed) return;
    if (request.method === 'HEAD') response.writeHead(status, headers).end();
    else sendJson(response, status, { status, code, message }, headers);
  };
  if (request.readableEnded) answer();
  else request.once('end', answer).resume();
}

export const badRequest = (message: string): Refusal => new Refusal(400, 'bad_request', message);
export const unauthorized = (message = 'unauthorized'): Refusal => new Refusal(401, 'unauthorized', message);
