import type { SignInReply, SignInRequest } from '../../main/contract/door.ts';
import { doorPaths, halfHeader, signInPath } from '../../main/contract/door-paths.ts';
import './bridge.ts';

const stored = 'holdfast.half';

/**
 * A browser's session, of which the page holds one half and the browser, in a cookie that no script can read, the other. Cookies go to every port of
 * a computer, what a page stores stays with its own: a program at another port gets one half at most. The app's window needs none.
 */
class Session {
  /** The page was opened by a link that is good no more. */
  refused = $state(false);

  /** Signs in where the page was opened by a link. */
  async begin(): Promise<void> {
    const { pathname, search } = window.location;
    if (window.holdfast !== undefined || pathname !== signInPath) return;
    // First of all: it is good once, and a page that is loaded again must not bring it again.
    window.history.replaceState(null, '', `/${window.location.hash}`);
    try {
      const response = await fetch(doorPaths.signIn, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ code: new URLSearchParams(search).get('code') ?? '' } satisfies SignInRequest),
      });
      this.refused = response.status === 403;
      if (!response.ok) return;
      const { value } = (await response.json()) as { readonly value: SignInReply };
      window.localStorage.setItem(stored, value.half);
    } catch {
      // The service has gone meanwhile: the page says so by itself, and an old session may still be good.
      this.refused = false;
    }
  }

  /** Of every request. Read anew each time, for it may be another tab that was signed in. */
  headers(): Readonly<Record<string, string>> {
    const half = window.localStorage.getItem(stored);
    return half === null ? {} : { [halfHeader]: half };
  }

  /** Settles once another tab has been signed in. */
  async signedIn(signal: AbortSignal): Promise<void> {
    await new Promise<void>((done) => {
      window.addEventListener('storage', ({ key }) => key === stored && done(), { signal });
      signal.addEventListener('abort', () => done(), { once: true });
    });
  }
}

export const session = new Session();
