import { isSignInProvider, missingClient, oauthProvider, type SignInProvider } from '../adapters/oauth/providers.ts';
import { refreshingTokens } from '../adapters/oauth/refreshing-tokens.ts';
import type { TokenSource } from '../adapters/oauth/token-source.ts';
import { systemClock } from '../adapters/system/clock.ts';
import type { DestinationSettings } from '../contract/destination-settings.ts';
import { Fault } from '../contract/faults.ts';
import type { Secrets } from './destination-secrets.ts';
import { loopbackEndpoint } from './loopback-endpoint.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The variables of a provider that a person signs in with. */
export const signInVariables = {
  'google-drive': {
    clientId: 'HOLDFAST_GOOGLE_CLIENT_ID',
    clientSecret: 'HOLDFAST_GOOGLE_CLIENT_SECRET',
    endpoint: 'HOLDFAST_GOOGLE_ENDPOINT',
  },
  dropbox: { clientId: 'HOLDFAST_DROPBOX_APP_KEY', clientSecret: 'HOLDFAST_DROPBOX_APP_SECRET', endpoint: 'HOLDFAST_DROPBOX_ENDPOINT' },
} as const satisfies Readonly<Record<SignInProvider, object>>;

export interface TokenKeeping {
  /** Null for a destination given by its address. */
  readonly name: string | null;
  readonly signedInAt?: number | undefined;
  readonly refreshedAt?: number | undefined;
  /** Keeps a refresh token that the provider has put in the place of the former one. */
  readonly keep?: (refreshToken: string) => Promise<void>;
  /** Keeps `refreshedAt`. */
  readonly keepLasting?: (at: number) => Promise<void>;
}

/** The client id of the destination's own settings, else of the environment. */
export function clientIdOf(settings: DestinationSettings, env: Environment): string | undefined {
  if (settings.provider === 'google-drive') return settings.clientId ?? given(env[signInVariables['google-drive'].clientId]);
  if (settings.provider === 'dropbox') return settings.appKey ?? given(env[signInVariables.dropbox.clientId]);
  return undefined;
}

/** Tokens of the account behind a destination that a person signed in for. Faults: sign-in-needed, config-invalid. */
export function composeTokens(settings: DestinationSettings, secrets: Secrets, env: Environment, keeping: TokenKeeping): TokenSource {
  const { provider } = settings;
  if (!isSignInProvider(provider)) throw new Fault('unexpected', `${provider} has no sign-in`, { operation: 'sign in' });
  const variables = signInVariables[provider];
  const clientId = clientIdOf(settings, env);
  if (clientId === undefined) throw missingClient(oauthProvider(provider), variables.clientId);
  const { refreshToken } = secrets;
  if (refreshToken === undefined) {
    const where = keeping.name === null ? 'the environment holds no refresh token' : `nobody has signed in for ${keeping.name} yet`;
    throw new Fault('sign-in-needed', where, { operation: 'sign in' });
  }
  return refreshingTokens({
    provider,
    clientId,
    clientSecret: secrets['clientSecret'] ?? secrets['appSecret'],
    refreshToken,
    signedInAt: keeping.signedInAt,
    refreshedAt: keeping.refreshedAt,
    ...loopbackEndpoint(env, variables.endpoint),
    clock: systemClock,
    ...(keeping.keep === undefined ? {} : { onRefreshToken: keeping.keep }),
    ...(keeping.keepLasting === undefined ? {} : { onLasting: keeping.keepLasting }),
  });
}

function given(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
