import type { ServerResponse } from 'node:http';
import { sendJson } from '../serve.ts';

/** An answer of Dropbox that is no success. `tags`: outermost first. */
export class Refusal extends Error {
  readonly status: number;
  readonly tags: readonly string[];
  readonly more: object;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, tags: readonly string[], more: object = {}, headers: Readonly<Record<string, string>> = {}) {
    super(tags.join('/'));
    this.status = status;
    this.tags = tags;
    this.more = more;
    this.headers = headers;
  }
}

/** With status 400 a line of text, else JSON: the tags nested, and `more` beside the innermost. */
export function sendRefusal(response: ServerResponse, { status, tags, more, headers }: Refusal): void {
  if (status === 400) {
    response.writeHead(400, { 'content-type': 'text/plain; charset=utf-8', ...headers }).end(`Error in call: ${tags.join(' ')}`);
    return;
  }
  const error = tags.reduceRight<object | null>((inner, tag) => ({ '.tag': tag, ...(inner === null ? more : { [tag]: inner }) }), null);
  sendJson(response, status, { error_summary: `${tags.join('/')}/${'.'.repeat(1 + Math.floor(Math.random() * 3))}`, error }, headers);
}
