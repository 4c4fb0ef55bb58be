import { isSignInProvider, missingClient, oauthProvider, type SignInProvider } from '../adapters/oauth/providers.ts';
import type { SignIn } from '../adapters/oauth/sign-in.ts';
import { limitedTime } from '../adapters/network/limited-time.ts';
import { systemClock } from '../adapters/system/clock.ts';
import type { AccountInfo } from '../contract/account-info.ts';
import type { DestinationSettings } from '../contract/destination-settings.ts';
import { Fault } from '../contract/faults.ts';
import type { Clock } from '../engine/ports.ts';
import type { KeptClient } from '../engine/service/settings-ports.ts';
import { withClient } from '../engine/service/with-client.ts';
import { builtInClient, type BuiltInClient } from './built-in-client.ts';
import { clientIdOf, composeTokens, signInVariables, type TokenKeeping } from './compose-tokens.ts';
import type { Secrets } from './destination-secrets.ts';
import type { Host } from './host.ts';
import { loopbackEndpoint } from './loopback-endpoint.ts';

/** A sign-in that a person can answer now, on the terminal or in a page. */
export interface PreparedSignIn {
  readonly begun: SignIn;
  /** Those that were given, with the client id that the sign-in is tied to. */
  readonly settings: DestinationSettings;
  /** The client's own secret under its name at the provider; empty where there is none. */
  readonly clientSecrets: Secrets;
}

export interface SignInRequest {
  readonly settings: DestinationSettings;
  /** Takes the place of the one in the environment and of `kept`. */
  readonly clientSecret?: string | undefined;
  /** Of a destination that there is already. */
  readonly kept: KeptClient;
  readonly signal: AbortSignal;
}

/** Faults: config-invalid (a provider without sign-in, no client id), locked (the port that Dropbox comes back to is in use). */
export async function prepareSignIn(
  env: Host['env'],
  request: SignInRequest,
  builtIn: (provider: SignInProvider) => BuiltInClient | undefined = builtInClient,
): Promise<PreparedSignIn> {
  const { provider: name } = request.settings;
  if (!isSignInProvider(name)) {
    throw new Fault('config-invalid', `a backup place at ${name} needs keys and no sign-in`, { operation: 'sign in' });
  }
  const variables = signInVariables[name];
  const provider = oauthProvider(name, loopbackEndpoint(env, variables.endpoint).endpoint);
  // A person's own client goes first; its secret, or that it has none, is its own too.
  const own = clientIdOf(request.settings, env);
  const brought = builtIn(name);
  const clientId = own ?? brought?.clientId;
  if (clientId === undefined) throw missingClient(provider, variables.clientId);
  const secretName = name === 'google-drive' ? 'clientSecret' : 'appSecret';
  // A secret goes with the client that it was given with and no other.
  const ofEnvironment = ['', clientId].includes(env[variables.clientId] ?? '') ? env[variables.clientSecret] : undefined;
  const kept = ['', clientId].includes(request.kept.clientId) ? request.kept.secrets[secretName] : undefined;
  const clientSecret =
    request.clientSecret ?? (ofEnvironment || kept || (clientId === brought?.clientId ? brought?.clientSecret : undefined));
  const { beginSignIn } = await import('../adapters/oauth/sign-in.ts');
  const begun = await beginSignIn({ provider, clientId, clientSecret, clock: systemClock, signal: request.signal });
  return {
    begun,
    settings: withClient(request.settings, clientId),
    clientSecrets: clientSecret === undefined ? {} : { [secretName]: clientSecret },
  };
}

/** Whose account it is and how full; null where the provider has no accounts. Fault timeout after a minute. */
export async function accountOf(
  env: Host['env'],
  settings: DestinationSettings,
  secrets: Secrets,
  keeping: TokenKeeping,
  signal: AbortSignal,
  clock: Clock = systemClock,
): Promise<AccountInfo | null> {
  const { provider } = settings;
  if (!isSignInProvider(provider)) return null;
  const tokens = composeTokens(settings, secrets, env, keeping);
  const { endpoint } = loopbackEndpoint(env, signInVariables[provider].endpoint);
  const { answerLimit } = await import('../adapters/oauth/sign-in.ts');
  return await limitedTime(answerLimit(clock, oauthProvider(provider)), signal, (limited) =>
    lookUp[provider](tokens, { ...(endpoint === undefined ? {} : { endpoint }), signal: limited }),
  );
}

type LookUp = (tokens: ReturnType<typeof composeTokens>, options: { endpoint?: string; signal: AbortSignal }) => Promise<AccountInfo>;

const lookUp: Readonly<Record<SignInProvider, LookUp>> = {
  'google-drive': async (tokens, options) =>
    (await import('../adapters/storage/google-drive/account.ts')).googleDriveAccount(tokens, options),
  dropbox: async (tokens, options) => (await import('../adapters/storage/dropbox/account.ts')).dropboxAccount(tokens, options),
};
