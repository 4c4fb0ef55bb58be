import type { IncomingMessage } from 'node:http';
import { seededNumbers } from '../../seeded-random.ts';
import type { Decide, TransportFault } from '../fault-proxy.ts';
import { Refusal } from './refusal.ts';

/** What Dropbox itself may answer at any time. */
export const refusals = {
  'too-many-requests': new Refusal(429, ['too_many_requests'], {}, { 'retry-after': '0' }),
  'too-many-writes': new Refusal(429, ['too_many_write_operations'], {}, { 'retry-after': '0' }),
  'internal-error': new Refusal(500, ['internal_error']),
  busy: new Refusal(503, ['other'], {}, { 'retry-after': '0' }),
  expired: new Refusal(401, ['expired_access_token']),
} as const;

export type DropboxRefusal = keyof typeof refusals;

/** Strikes about `rate` of all calls with what Dropbox itself may say. */
export function randomRefusals(seed: number, rate: number, struck: (kind: DropboxRefusal) => void): (route: string) => Refusal | null {
  const next = seededNumbers(seed);
  const kinds = Object.keys(refusals) as DropboxRefusal[];
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
    if (luck < 0.8 && isRoute(request, 'files/download')) return 'cut-reply';
    return 'lost-reply';
  };
}

export function isRoute({ url = '' }: IncomingMessage, route: string): boolean {
  return url === `/2/${route}`;
}
