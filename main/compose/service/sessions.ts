import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * What a browser gets for a sign-in link, in two halves. The cookie it sends by itself, but to every port of this host, so that whatever listens at
 * another one can have it; no script can read it. The other half the page keeps in its storage, which belongs to one port, and sends as a header.
 * Each is worth nothing without the other.
 */
export interface NewSession {
  /** Of `Set-Cookie`. */
  readonly cookie: string;
  readonly half: string;
}

export interface Sessions {
  begin(cookieName: string): NewSession;
  /** Null: no session. `renewed`: the cookie to give anew, so that a session ends a week after it was used last; null while that is not needed. */
  look(cookieName: string, cookies: string | undefined, half: string | undefined): { readonly renewed: string | null } | null;
}

const daySeconds = 86_400;
const lifeSeconds = 7 * daySeconds;
const dayMs = daySeconds * 1000;

/** Both halves are signed with the token, so that they outlive a restart and end with it when the token file is removed. */
export function sessions(token: string, now: () => number): Sessions {
  const sign = (what: string): string => createHmac('sha256', token).update(what).digest('hex');
  const halfOf = (id: string): string => sign(`half ${id}`);

  function cookie(name: string, id: string): string {
    const until = now() + lifeSeconds * 1000;
    // Only calls and events need it: whoever shows pages at another port of this host does not get it with each of them.
    return `${name}=${id}.${until}.${sign(`cookie ${id} ${until}`)}; HttpOnly; SameSite=Strict; Path=/api; Max-Age=${lifeSeconds}`;
  }

  return {
    begin(name) {
      const id = randomBytes(16).toString('hex');
      return { cookie: cookie(name, id), half: halfOf(id) };
    },
    look(name, cookies, half) {
      // All of that name: another port may have put its own before ours.
      for (const part of (cookies ?? '').split(';')) {
        const [given = '', value = ''] = part.trim().split('=');
        const match = given === name ? /^([0-9a-f]{32})\.(\d{1,16})\.([0-9a-f]{64})$/.exec(value) : null;
        if (match === null) continue;
        const [, id = '', until = '', signature = ''] = match;
        const isOurs = same(signature, sign(`cookie ${id} ${until}`)) && same(half ?? '', halfOf(id));
        const left = Number(until) - now();
        // A clock that was ahead and is right again must not make it last for longer.
        const isOff = left > lifeSeconds * 1000;
        if (isOurs && left > 0) return { renewed: isOff || left < lifeSeconds * 1000 - dayMs ? cookie(name, id) : null };
      }
      return null;
    },
  };
}

export function same(a: string, b: string): boolean {
  const [one, other] = [Buffer.from(a), Buffer.from(b)];
  return one.length === other.length && timingSafeEqual(one, other);
}
