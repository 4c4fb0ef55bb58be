import type { ServerResponse } from 'node:http';
import { sendJson } from '../serve.ts';

/** An answer of Google's that is no success. */
export class Refusal extends Error {
  readonly status: number;
  readonly reason: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, reason: string, headers: Readonly<Record<string, string>> = {}) {
    super(reason);
    this.status = status;
    this.reason = reason;
    this.headers = headers;
  }
}

export function sendRefusal(response: ServerResponse, { status, reason, headers }: Refusal): void {
  const message = `by the server of the tests: ${reason}`;
  sendJson(response, status, { error: { errors: [{ domain: 'global', reason, message }], code: status, message } }, headers);
}
