import type { AccountInfo } from '../../contract/account-info.ts';
import type { DestinationSettings } from '../../contract/destination-settings.ts';
import { asFault, Fault } from '../../contract/faults.ts';
import { saying } from '../../contract/sayings.ts';
import type { SignIn } from '../../contract/sign-in-calls.ts';
import type { Clock, Random } from '../ports.ts';
import { accountRow } from './account-row.ts';
import { signedInElsewhere } from './kept-together.ts';
import type { BegunSignIn, Secrets } from './settings-ports.ts';

export interface SignInsHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly accountOf: (
    settings: DestinationSettings,
    secrets: Secrets,
    how: { readonly name: null; readonly signal: AbortSignal; readonly onRefreshToken: (token: string) => void },
  ) => Promise<AccountInfo | null>;
  /** Told once of each, when it has ended. */
  readonly onEnd: (signIn: SignIn) => void;
  /** What came of it is a secret from now on. */
  readonly register: (secret: string) => void;
}

/** What a finished sign-in brought. */
export interface Brought {
  /** With the client id that the token belongs to. */
  readonly settings: DestinationSettings;
  /** The refresh token and, where there is one, the client's secret. */
  readonly secrets: Secrets;
  readonly at: number;
}

export interface SignIns {
  /** `begin` is given a signal that ends the wait. One that waits for the same provider already is given up for it. */
  start(
    provider: DestinationSettings['provider'],
    begin: (signal: AbortSignal) => Promise<BegunSignIn>,
  ): Promise<{ readonly id: string; readonly link: string; readonly expiresAt: number }>;
  get(id: string): SignIn;
  /** Settles once it has ended, however. Fault config-invalid: no such address; the wait goes on. */
  paste(id: string, address: string): Promise<void>;
  cancel(id: string): Promise<void>;
  /** Faults: not-found (unknown, or longer ago than it is kept), config-invalid (not done, or with another provider). */
  brought(id: string, provider: DestinationSettings['provider']): Brought;
  /** Its secrets have found their place. */
  forget(id: string): void;
  /** Ends all that wait and forgets the others. */
  close(): Promise<void>;
}

/** After it is done: long enough to fill in the rest of a form. */
const keptMs = 10 * 60_000;
const operation = 'sign in';

interface Held {
  readonly begun: BegunSignIn;
  /** Ends the wait. */
  readonly stop: AbortController;
  /** Ends the time for which it is kept. */
  readonly kept: AbortController;
  readonly ended: Promise<null>;
  state: SignIn;
  brought: Brought | null;
}

/** Sign-ins that are under way or were finished a moment ago. They live in memory only, and nothing that they bring leaves by a call. */
export function createSignIns({ clock, random, accountOf, onEnd, register }: SignInsHost): SignIns {
  const all = new Map<string, Held>();

  function held(id: string): Held {
    const found = all.get(id);
    if (found !== undefined) return found;
    throw new Fault('not-found', 'this sign-in is unknown or was given up, or it ended more than ten minutes ago', {
      operation,
      context: { next: 'Sign in again.' },
    });
  }

  function end(one: Held, change: Partial<SignIn>): void {
    if (one.state.state !== 'waiting') return;
    one.state = { ...one.state, ...change };
    onEnd(one.state);
    clock.sleep(keptMs, one.kept.signal).then(
      () => {
        one.brought = null;
        all.delete(one.state.id);
      },
      () => undefined,
    );
  }

  async function follow(one: Held): Promise<void> {
    const { begun, stop } = one;
    try {
      let secrets: Secrets = { ...begun.clientSecrets, ...(await begun.finished()) };
      for (const secret of Object.values(secrets)) register(secret);
      const onRefreshToken = (refreshToken: string): void => {
        register(refreshToken);
        secrets = { ...secrets, refreshToken };
      };
      // Signed in is signed in: what the account does not tell, the test of the place will.
      const account = await accountOf(begun.settings, secrets, { name: null, signal: stop.signal, onRefreshToken }).catch(() => null);
      // Given up while the account was asked for: nothing of it is kept.
      if (one.state.state === 'waiting') one.brought = { settings: begun.settings, secrets, at: clock.now() };
      end(one, { state: 'done', account: account === null ? null : accountRow(account) });
    } catch (error) {
      end(one, { state: 'failed', fault: asFault(error, operation).toWire() });
    }
  }

  async function cancel(one: Held): Promise<void> {
    end(one, { state: 'cancelled' });
    one.stop.abort();
    await one.begun.close();
  }

  function drop(one: Held): void {
    one.brought = null;
    one.kept.abort();
    all.delete(one.state.id);
  }

  return {
    async start(provider, begin) {
      const former = [...all.values()].filter(({ state, begun }) => state.state === 'waiting' && begun.settings.provider === provider);
      for (const one of former) await cancel(one);
      const stop = new AbortController();
      const begun = await begin(stop.signal);
      const id = Buffer.from(random.bytes(16)).toString('base64url');
      const ended = Promise.withResolvers<null>();
      const one: Held = {
        ...{ begun, stop, kept: new AbortController(), ended: ended.promise, brought: null },
        state: { id, state: 'waiting', account: null, fault: null },
      };
      all.set(id, one);
      void follow(one).finally(() => ended.resolve(null));
      return { id, link: begun.link, expiresAt: begun.expiresAt };
    },
    get: (id) => held(id).state,
    async paste(id, address) {
      const one = held(id);
      if (one.state.state !== 'waiting')
        throw new Fault('config-invalid', 'this sign-in has ended already', { operation, context: saying('sign-in-ended', {}) });
      one.begun.answer(address);
      await one.ended;
    },
    async cancel(id) {
      const one = held(id);
      // One that is done and not wanted any more is forgotten with what it brought.
      if (one.state.state === 'waiting') await cancel(one);
      else drop(one);
    },
    brought(id, provider) {
      const one = held(id);
      if (one.brought === null)
        throw new Fault('config-invalid', 'this sign-in is not finished', { operation, context: saying('sign-in-unfinished', {}) });
      if (one.brought.settings.provider === provider) return one.brought;
      throw signedInElsewhere(one.brought.settings.provider, provider);
    },
    forget(id) {
      const one = all.get(id);
      if (one !== undefined) drop(one);
    },
    async close() {
      for (const one of [...all.values()]) {
        if (one.state.state === 'waiting') await cancel(one);
        drop(one);
      }
    },
  };
}
