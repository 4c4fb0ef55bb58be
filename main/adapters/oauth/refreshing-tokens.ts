import { Fault } from '../../contract/faults.ts';
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
  readonly endpoint?: string | undefined;
  readonly clock: Clock;
  /** A provider may give a new refresh token with an access token; the old one may end then. */
  readonly onRefreshToken?: (token: string) => Promise<void>;
}

/** A token is renewed so long before its end: requests take time, and clocks differ. */
const earlyMs = 60_000;
/** RFC 6749 §5.1 lets a provider keep its life to itself. */
const shortLifeS = 600;
const dayMs = 86_400_000;

/** Access tokens of one account, renewed when they end or are refused: once, however many ask. */
export function refreshingTokens(options: RefreshingOptions): TokenSource {
  const { clock } = options;
  const provider = oauthProvider(options.provider, options.endpoint);
  let { refreshToken } = options;
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
      return reply.access_token;
    } catch (error) {
      throw explained(error);
    }
  });

  /** Google ends the sign-ins of a project in "testing" after seven days. */
  function explained(error: unknown): unknown {
    if (!(error instanceof Fault) || error.code !== 'sign-in-needed' || options.provider !== 'google-drive') return error;
    const age = options.signedInAt === undefined ? undefined : clock.now() - options.signedInAt;
    if (age === undefined || age < 6.5 * dayMs || age > 9 * dayMs) return error;
    return new Fault('sign-in-needed', `${error.message}: it ended after seven days, as all do while your Google project is in "testing"`, {
      operation: error.operation,
      context: {
        ...error.context,
        next: `Publish the app (${provider.setupPage}, step 4), then sign in again with “holdfast destination sign-in NAME”.`,
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
