import { accountStep } from '../adapters/network/account-step.ts';
import type { Provider } from '../contract/destination-settings.ts';
import { Fault } from '../contract/faults.ts';
import { providerSecrets, type ProviderSecret } from '../contract/settings.ts';

/** By the names that belong to the provider, see providerSecrets. */
export type Secrets = Readonly<Record<string, string>>;

export function secretsOf(provider: Provider): readonly ProviderSecret[] {
  return providerSecrets[provider];
}

/** The secrets that the environment holds for a destination given by its address. */
export function secretsInEnvironment(provider: Provider, env: Readonly<Record<string, string | undefined>>): Secrets {
  return Object.fromEntries(
    secretsOf(provider).flatMap(({ name, env: variable }) => {
      const value = env[variable];
      return value === undefined || value === '' ? [] : [[name, value]];
    }),
  );
}

/** Throws fault unauthenticated when one that is needed is not there; `where` says where it was looked for. */
export function needed(secrets: Secrets, provider: Provider, name: string, where: string): string {
  const value = secrets[name];
  if (value !== undefined) return value;
  const secret = secretsOf(provider).find((one) => one.name === name);
  const next = `Set ${secret?.env ?? name}, or keep it with “holdfast destination add NAME ${provider === 'backblaze-b2' ? 'b2' : provider}:…”.`;
  throw new Fault('unauthenticated', `${secret?.says ?? name} is missing: it was looked for in ${where}`, {
    operation: 'read the keys',
    context: { next: accountStep({ code: 'unauthenticated', next }, `docs/setup/${provider}.md`) ?? next },
  });
}
