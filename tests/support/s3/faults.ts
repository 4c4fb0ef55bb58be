import type { IncomingMessage } from 'node:http';
import { startFaultProxy, type Answer, type Decide, type FaultProxy, type Hold, type TransportFault } from '../clouds/fault-proxy.ts';
import { seededNumbers } from '../seeded-random.ts';

/** What an S3 server may answer; `error-in-200` as it comes for a CompleteMultipartUpload that failed after its status was sent. */
export type S3Fault =
  | TransportFault
  | 'slow-down'
  | 'internal-error'
  | 'error-in-200'
  | 'access-denied'
  | 'quota-exceeded'
  | 'no-such-key'
  | 'no-such-upload'
  | 'time-skewed'
  | 'request-timeout';

export type DecideS3 = (request: IncomingMessage) => S3Fault | null;

const answers: Readonly<Record<Exclude<S3Fault, TransportFault>, Answer>> = {
  'slow-down': xml(503, 'SlowDown', { 'retry-after': '0' }),
  'internal-error': xml(500, 'InternalError'),
  'error-in-200': xml(200, 'InternalError'),
  'access-denied': xml(403, 'AccessDenied'),
  'quota-exceeded': xml(403, 'QuotaExceeded'),
  'no-such-key': xml(404, 'NoSuchKey'),
  'no-such-upload': xml(404, 'NoSuchUpload'),
  'time-skewed': xml(403, 'RequestTimeTooSkewed'),
  // AWS closes the line behind it.
  'request-timeout': xml(400, 'RequestTimeout', { connection: 'close' }),
};

/** In front of the S3 server at `port`. */
export function startS3FaultProxy(port: number, decide: DecideS3, hold?: Hold): Promise<FaultProxy> {
  return startFaultProxy(port, decide satisfies Decide<S3Fault>, answers, hold);
}

/** Strikes about `rate` of all requests. A stall costs the client its whole timeout, so there are few. */
export function randomFaults(seed: number, rate: number): DecideS3 {
  const next = seededNumbers(seed);
  return (request) => {
    if (next() >= rate) return null;
    const luck = next();
    if (luck < 0.02) return luck < 0.01 && request.method === 'GET' ? 'stalled-reply' : 'stall';
    if (luck < 0.21) return 'slow-down';
    // Told in a body, which HEAD has not; the server waits for one that does not come.
    if (luck < 0.23 && request.method === 'PUT') return 'request-timeout';
    if (luck < 0.25 && request.method !== 'HEAD') return 'time-skewed';
    if (luck < 0.35) return 'internal-error';
    if (luck < 0.45) return 'reset-before';
    if (luck < 0.55) return 'reset-within';
    if (luck < 0.6 && request.method !== 'HEAD') return 'web-page';
    if (luck < 0.75 && request.method === 'GET') return 'cut-reply';
    if (isComplete(request)) return luck < 0.8 ? 'error-in-200' : 'lost-reply';
    // The upload that such a lost reply leaves open is told of by the server, as with the real ones.
    return isCreate(request) ? 'reset-before' : 'lost-reply';
  };
}

export function isCreate({ method, url = '' }: IncomingMessage): boolean {
  return method === 'POST' && /[?&]uploads(=|&|$)/.test(url);
}

export function isPart({ method, url = '' }: IncomingMessage): boolean {
  return method === 'PUT' && url.includes('partNumber=');
}

export function isComplete({ method, url = '' }: IncomingMessage): boolean {
  return method === 'POST' && /[?&]uploadId=/.test(url);
}

function xml(status: number, code: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return {
    status,
    headers: { 'content-type': 'application/xml', ...headers },
    body: `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>by the proxy</Message></Error>`,
  };
}
