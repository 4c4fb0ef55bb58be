import { accountStep } from '../adapters/network/account-step.ts';
import { isSignInProvider, missingClient, oauthProvider, type SignInProvider } from '../adapters/oauth/providers.ts';
import { refreshingTokens } from '../adapters/oauth/refreshing-tokens.ts';
import type { TokenSource } from '../adapters/oauth/token-source.ts';
import { systemClock } from '../adapters/system/clock.ts';
import type { DestinationSettings } from '../contract/destination-settings.ts';
import { Fault } from '../contract/faults.ts';
import { secretsOf, type Secrets } from './destination-secrets.ts';
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
  if (refreshToken === undefined) throw noSignIn(provider, keeping.name);
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

/** `name` is null for a destination given by its address: there is nothing to sign in for, and its token comes from the environment. */
function noSignIn(provider: SignInProvider, name: string | null): Fault {
  const variable = secretsOf(provider).find((secret) => secret.name === 'refreshToken')?.env ?? '';
  const [says, next] =
    name === null
      ? [
          'the environment holds no refresh token',
          `Set ${variable}, or keep this place with “holdfast destination add NAME ${provider}:…” and sign in for it.`,
        ]
      : [`nobody has signed in for ${name} yet`, `Sign in with “holdfast destination sign-in ${name}”.`];
  const step = accountStep({ code: 'sign-in-needed', next }, oauthProvider(provider).setupPage) ?? next;
  return new Fault('sign-in-needed', says, { operation: 'sign in', context: { next: step } });
}

function given(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
