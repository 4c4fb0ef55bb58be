import type { IncomingMessage } from 'node:http';
import { seededNumbers } from '../../seeded-random.ts';
import type { Decide, TransportFault } from '../fault-proxy.ts';
import { Refusal } from './refusal.ts';

/** What Google itself may answer at any time. */
export const refusals = {
  'rate-limit': new Refusal(403, 'rateLimitExceeded'),
  'user-rate-limit': new Refusal(403, 'userRateLimitExceeded'),
  'too-many': new Refusal(429, 'rateLimitExceeded', { 'retry-after': '0' }),
  'internal-error': new Refusal(500, 'internalError'),
  busy: new Refusal(503, 'backendError'),
  expired: new Refusal(401, 'authError'),
} as const;

export type DriveRefusal = keyof typeof refusals;

/** Strikes about `rate` of all calls with what Google itself may say. */
export function randomRefusals(seed: number, rate: number, struck: (kind: DriveRefusal) => void): (call: string) => Refusal | null {
  const next = seededNumbers(seed);
  const kinds = Object.keys(refusals) as DriveRefusal[];
  let sinceExpiry = 0;
  return () => {
    sinceExpiry++;
    if (next() >= rate) return null;
    const kind = kinds[Math.floor(next() * kinds.length)] ?? 'busy';
    // A token that has just been renewed does not end again before those who wait have used it.
    const told = kind === 'expired' && sinceExpiry < 60 ? 'busy' : kind;
    if (told === 'expired') sinceExpiry = 0;
    struck(told);
    return refusals[told];
  };
}

/** Strikes about `rate` of all requests on their way. A stall costs the client its whole timeout, so there are few. */
export function randomTransport(seed: number, rate: number): Decide<never> {
  const next = seededNumbers(seed);
  return (request): TransportFault | null => {
    if (next() >= rate) return null;
    const luck = next();
    if (luck < 0.01) return 'stall';
    if (luck < 0.25) return 'reset-before';
    if (luck < 0.45) return 'reset-within';
    if (luck < 0.6) return 'web-page';
    if (luck < 0.8 && request.method === 'GET') return 'cut-reply';
    return 'lost-reply';
  };
}

export function isSessionPiece({ url = '' }: IncomingMessage): boolean {
  return url.includes('upload_id=');
}

/** The request that ends a session: it tells the total. */
export function isFinish(request: IncomingMessage): boolean {
  return isSessionPiece(request) && /\/\d+$/.test(request.headers['content-range'] ?? '');
}
