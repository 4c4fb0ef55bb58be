import type { Provider } from '../contract/destination-settings.ts';
import { Fault } from '../contract/faults.ts';
import { destinationSecret } from '../contract/secret-names.ts';
import { secretsInEnvironment, secretsOf, type Secrets } from '../compose/destination-secrets.ts';
import type { CliHost } from './host.ts';

/**
 * The keys of a new destination: those in the environment, else each is asked for on the terminal. S3 may go without: then the AWS
 * tools' own places are asked. What a sign-in brings is not asked for.
 */
export async function askSecrets(host: CliHost, provider: Provider): Promise<Secrets> {
  const given = secretsInEnvironment(provider, host.env);
  const missing = secretsOf(provider).filter(({ name, optional }) => !optional && given[name] === undefined);
  if (missing.length === 0) return given;
  if (provider === 's3' && (host.askSecret === null || (host.env['AWS_PROFILE'] ?? '') !== '')) return given;
  const answers: Record<string, string> = { ...given };
  for (const { name, env, says } of missing) {
    if (host.askSecret === null) {
      throw new Fault('config-invalid', `${says} was not given and there is no terminal to ask on; set ${env}`, {
        operation: 'read the keys',
      });
    }
    const answer = (await host.askSecret(`${says}: `)).trim();
    // An S3 destination without keys of its own uses the AWS tools' places.
    if (answer === '' && provider === 's3') return given;
    if (answer === '') throw new Fault('config-invalid', `${says} is empty`, { operation: 'read the keys' });
    answers[name] = answer;
  }
  return answers;
}

/** The same for a destination that has some already: those it is not given any more are forgotten, but for what a sign-in has brought. Without any, those there are stay. */
export async function askedAnew(host: CliHost, provider: Provider): Promise<Readonly<Record<string, string | null>>> {
  const secrets = await askSecrets(host, provider);
  if (Object.keys(secrets).length === 0) return {};
  const named = secretsOf(provider).filter(({ name }) => name !== 'refreshToken' || secrets[name] !== undefined);
  return Object.fromEntries(named.map(({ name }) => [name, secrets[name] ?? null]));
}

/** Keeps the secrets of a destination and forgets those it had before. Without any, no passphrase is asked for. */
export async function storeSecrets(host: CliHost, destination: string, provider: Provider, secrets: Secrets): Promise<void> {
  if (Object.keys(secrets).length === 0) return;
  const all = secretsOf(provider).map(({ name }) => [destinationSecret(destination, name), secrets[name] ?? null]);
  await (await host.openKeychain()).set(Object.fromEntries(all) as Record<string, string | null>);
}
