import type { IncomingMessage } from 'node:http';
import { seededNumbers } from '../../seeded-random.ts';
import type { Decide, TransportFault } from '../fault-proxy.ts';
import { Refusal } from './refusal.ts';

/** What B2 itself may answer at any time. */
export const refusals = {
  busy: new Refusal(503, 'service_unavailable', 'no tomes available'),
  'internal-error': new Refusal(500, 'internal_error', 'incident id 0'),
  'too-many': new Refusal(429, 'too_many_requests', 'slow down', { 'retry-after': '0' }),
  expired: new Refusal(401, 'expired_auth_token', 'Authorization token has expired'),
  timeout: new Refusal(408, 'request_timeout', 'timed out'),
} as const;

export type B2Refusal = keyof typeof refusals;

/** Strikes about `rate` of all calls with what B2 itself may say. */
export function randomRefusals(seed: number, rate: number, struck: (kind: B2Refusal) => void): (call: string) => Refusal | null {
  const next = seededNumbers(seed);
  const kinds = Object.keys(refusals) as B2Refusal[];
  return (call) => {
    if (next() >= rate) return null;
    const kind = kinds[Math.floor(next() * kinds.length)] ?? 'busy';
    // At the door there is no token that could expire.
    const told = kind === 'expired' && call === 'b2_authorize_account' ? 'busy' : kind;
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
    // The large file that such a lost reply leaves open is told of by the server, as with the real ones.
    return isCall(request, 'b2_start_large_file') ? 'reset-before' : 'lost-reply';
  };
}

export function isCall({ url = '' }: IncomingMessage, name: string): boolean {
  return new RegExp(`/b2api/v\\d/${name}(/|$)`).test(url);
}
