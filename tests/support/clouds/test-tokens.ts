import { randomBytes } from 'node:crypto';
import type { TokenSource } from '../../../main/adapters/oauth/token-source.ts';
import type { TokenAuthority } from './serve.ts';

export interface TestTokens extends TokenAuthority {
  /** An account's tokens, each good until expire(). */
  readonly source: TokenSource;
  /** How many tokens were given out. */
  readonly given: () => number;
  /** Every token so far has had its time. */
  expire(): void;
  /** One that is good now, for other clients. */
  current(): string;
}

/** Bearer tokens without a sign-in: for tests of what comes behind it. */
export function testTokens(): TestTokens {
  const good = new Set<string>();
  const old = new Set<string>();
  let count = 0;
  let token = fresh();

  function fresh(): string {
    count++;
    const made = `token-${randomBytes(16).toString('hex')}`;
    good.add(made);
    return made;
  }

  return {
    accepts: (text) => (good.has(text) ? 'valid' : old.has(text) ? 'expired' : 'unknown'),
    given: () => count,
    current: () => token,
    expire() {
      for (const text of good) old.add(text);
      good.clear();
    },
    source: {
      token: (options) => {
        if (options?.refused === token) token = fresh();
        return Promise.resolve(token);
      },
    },
  };
}
