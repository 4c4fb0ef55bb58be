import { Fault } from '../contract/faults.ts';
import { destinationName } from '../contract/settings.ts';
import { destinationSecrets } from '../engine/service/kept-secrets.ts';
import { destinationCalled } from '../engine/service/known-destination.ts';
import { dangerOf, parseDestinationUrl } from '../compose/destination-url.ts';
import { secretsInEnvironment, type Secrets } from '../compose/destination-secrets.ts';
import type { FoundDestination } from '../compose/host.ts';
import type { CliHost } from './host.ts';
import { warn } from './output.ts';

/** What `-d` says: a name, or an address, which has a colon. What is dangerous about the settings is said on standard error. */
export async function findDestination(host: CliHost, text: string): Promise<FoundDestination> {
  const isName = destinationName.safeParse(text).success;
  const found = isName ? await named(host, text) : { settings: parseDestinationUrl(text, host.cwd), name: null };
  const danger = dangerOf(found.settings);
  if (danger !== '') await warn(host, danger);
  return found;
}

async function named(host: CliHost, name: string): Promise<FoundDestination> {
  const settings = await (await host.openSettings()).read();
  const known = destinationCalled(settings, name);
  if (known !== undefined) return { settings: known.settings, name };
  const names = Object.keys(settings.destinations);
  const there = names.length === 0 ? 'no destination has a name yet' : `there are ${names.join(', ')}`;
  throw new Fault(
    'config-invalid',
    `There is no destination called ${name}; ${there}. For a folder on this computer write folder:${name}`,
    {
      operation: 'find destination',
      context: { destination: name },
    },
  );
}

/** What the keychain keeps for a named destination, else what the environment holds. A folder needs none, and asks for no passphrase. */
export async function readSecrets(host: CliHost, { settings, name }: FoundDestination): Promise<Secrets> {
  if (name === null) return secretsInEnvironment(settings.provider, host.env);
  return await destinationSecrets(() => host.openKeychain(), name, settings);
}
