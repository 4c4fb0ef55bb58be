import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { makeOnce } from '../../adapters/files/make-once.ts';
import { notWritten } from '../../adapters/files/not-written.ts';
import { Fault } from '../../contract/faults.ts';
import { errnoOf } from '../errno.ts';
import { same, sessions, type Sessions } from './sessions.ts';

/** 256 random bits in hex in a file of mode 0600, made once: who can read it is this user, and may do everything. */
export async function serviceToken(path: string): Promise<string> {
  return (await readToken(path)) ?? (await makeToken(path));
}

export async function readToken(path: string): Promise<string | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw new Fault('permission-denied', `${path} cannot be read`, { operation: 'read token', context: { path }, cause: error });
  }
  const token = /^([0-9a-f]{64})\n?$/.exec(text)?.[1];
  if (token !== undefined) return token;
  throw new Fault('config-invalid', `${path} holds no token`, {
    operation: 'read token',
    context: { path, next: 'Remove the file; a new one is made at the next start of the service.' },
  });
}

function makeToken(path: string): Promise<string> {
  return makeOnce({
    path,
    value: randomBytes(32).toString('hex'),
    read: () => readToken(path),
    failed: (cause) => notWritten(path, cause, 'make token'),
  });
}

const linkMs = 5 * 60_000;

/** Who may speak to the service: whoever has the token, or a browser that came by a sign-in link. */
export interface Access {
  readonly bearer: (authorization: string | undefined) => boolean;
  /** A code for a sign-in link: good once, for five minutes. */
  readonly newCode: () => string;
  /** Whether a code is good: not unknown, used or too old. */
  readonly redeem: (code: string) => boolean;
  readonly sessions: Sessions;
}

export function access(token: string, now: () => number): Access {
  const codes = new Map<string, number>();
  return {
    bearer(authorization) {
      const given = /^Bearer ([0-9a-f]{64})$/.exec(authorization ?? '')?.[1];
      return given !== undefined && same(given, token);
    },
    newCode() {
      for (const [code, until] of codes) if (until < now()) codes.delete(code);
      const code = randomBytes(32).toString('base64url');
      codes.set(code, now() + linkMs);
      return code;
    },
    redeem(code) {
      const until = codes.get(code);
      codes.delete(code);
      return until !== undefined && now() <= until;
    },
    sessions: sessions(token, now),
  };
}
