import { Fault } from '../../contract/faults.ts';
import { saying } from '../../contract/sayings.ts';
import type { Clock } from '../../engine/ports.ts';
import { cancelledFault } from '../../engine/storage/cancel.ts';
import { sharedCall } from '../network/shared-call.ts';
import { oauthProvider, type SignInProvider } from './providers.ts';
import { requestToken } from './token-request.ts';
import type { TokenSource } from './token-source.ts';

export interface RefreshingOptions {
  readonly provider: SignInProvider;
  readonly clientId: string;
  readonly clientSecret?: string | undefined;
  readonly refreshToken: string;
  /** Milliseconds since 1970, where it is known. */
  readonly signedInAt?: number | undefined;
  /** When it was renewed later than a week after a sign-in, milliseconds since 1970. */
  readonly refreshedAt?: number | undefined;
  readonly endpoint?: string | undefined;
  readonly clock: Clock;
  /** A provider may give a new refresh token with an access token; the old one may end then. */
  readonly onRefreshToken?: (token: string) => Promise<void>;
  /** This sign-in has lasted longer than a week: told the first time, to be given as `refreshedAt` from then on. */
  readonly onLasting?: (at: number) => Promise<void>;
}

/** A token is renewed so long before its end: requests take time, and clocks differ. */
const earlyMs = 60_000;
/** RFC 6749 §5.1 lets a provider keep its life to itself. */
const shortLifeS = 600;
const weekMs = 7 * 86_400_000;
/** Clocks differ, and a sign-in is noted a little after it was given. */
const almostWeekMs = 6.5 * 86_400_000;

/** Access tokens of one account, renewed when they end or are refused: once, however many ask. */
export function refreshingTokens(options: RefreshingOptions): TokenSource {
  const { clock } = options;
  const provider = oauthProvider(options.provider, options.endpoint);
  let { refreshToken, refreshedAt } = options;
  let current: { readonly token: string; readonly until: number } | undefined;

  const renew = sharedCall(async (signal) => {
    try {
      const secret = options.clientSecret === undefined ? {} : { client_secret: options.clientSecret };
      const form = { grant_type: 'refresh_token', refresh_token: refreshToken, client_id: options.clientId, ...secret };
      const reply = await requestToken(provider, form, signal);
      current = { token: reply.access_token, until: clock.now() + (reply.expires_in ?? shortLifeS) * 1000 - earlyMs };
      if (reply.refresh_token !== undefined && reply.refresh_token !== refreshToken) {
        refreshToken = reply.refresh_token;
        await options.onRefreshToken?.(refreshToken);
      }
      await noteLasting();
      return reply.access_token;
    } catch (error) {
      throw explained(error);
    }
  });

  /** Once for each sign-in with Google, whose end it may explain. */
  async function noteLasting(): Promise<void> {
    const now = clock.now();
    const { signedInAt } = options;
    if (options.provider !== 'google-drive' || signedInAt === undefined || now < signedInAt + weekMs || hasLasted(signedInAt)) return;
    refreshedAt = now;
    // It only helps to explain an end later on: no backup fails because it could not be kept.
    await options.onLasting?.(now).catch(() => undefined);
  }

  function hasLasted(signedInAt: number): boolean {
    return refreshedAt !== undefined && refreshedAt >= signedInAt + weekMs;
  }

  /** Google ends the sign-ins of a project in "testing" after seven days, and says as little of it then as at any other end. */
  function explained(error: unknown): unknown {
    if (!(error instanceof Fault) || error.code !== 'sign-in-needed' || options.provider !== 'google-drive') return error;
    const { signedInAt } = options;
    if (signedInAt === undefined || clock.now() < signedInAt + almostWeekMs || hasLasted(signedInAt)) return error;
    const why = 'most likely it ended after seven days, as all do while a Google project is in "testing"';
    return new Fault('sign-in-needed', `${error.message}: ${why}`, {
      operation: error.operation,
      context: {
        ...error.context,
        ...saying('project-in-testing', {}),
        next: `Publish the app, unless it is (${provider.setupPage}, step 4), then sign in again with “holdfast destination sign-in NAME”.`,
      },
      cause: error,
    });
  }

  return {
    async token({ signal, refused } = {}) {
      if (signal?.aborted === true) throw cancelledFault('sign in');
      if (current !== undefined && current.token !== refused && clock.now() < current.until) return current.token;
      return await renew(signal);
    },
  };
}
