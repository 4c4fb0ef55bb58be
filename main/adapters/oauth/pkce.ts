import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** RFC 7636: 43 letters of the verifier's alphabet. */
export function newVerifier(): string {
  return randomBytes(32).toString('base64url');
}

/** RFC 7636 §4.2, method S256. */
export function challengeOf(verifier: string): string {
  return createHash('sha256').update(verifier, 'ascii').digest('base64url');
}

/** What ties an answer to the question, RFC 6749 §10.12; used once. */
export function newState(): string {
  return randomBytes(24).toString('base64url');
}

/** Without telling by its time how much of it is right. */
export function sameSecret(a: string, b: string): boolean {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
}
