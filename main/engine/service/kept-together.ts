import { Fault } from '../../contract/faults.ts';
import { saying } from '../../contract/sayings.ts';
import { clientOf } from '../../contract/same-place.ts';
import { destinationPassword, destinationSecret } from '../../contract/secret-names.ts';
import { providerSecrets, type NamedDestination, type Settings } from '../../contract/settings.ts';
import type { Keychain } from './keychain.ts';
import { destinationCalled, knownDestination } from './known-destination.ts';
import type { LiveSettings } from './settings-ports.ts';
import type { Brought } from './sign-ins.ts';
import { noClientSecret, withClientOf } from './with-client.ts';

/** Where a destination and its secrets lie, as a command and the service have them. */
export interface TwoPlaces {
  readonly settings: Pick<LiveSettings, 'alone' | 'update'>;
  readonly keychain: Keychain;
}

/** Under the names that the keychain has for those of a destination. */
export function secretsNamed(name: string, secrets: Readonly<Record<string, string | null>>): Readonly<Record<string, string | null>> {
  return Object.fromEntries(Object.entries(secrets).map(([secret, value]) => [destinationSecret(name, secret), value]));
}

/**
 * Gives a destination what a sign-in brought; with another client the secret of the former one goes. Settles to the settings. Faults: not-found (it was
 * removed meanwhile), config-invalid (it is of another kind now).
 */
export async function keepSignIn({ settings, keychain }: TwoPlaces, name: string, brought: Brought): Promise<Settings> {
  return await settings.alone(async (now) => {
    const { settings: at } = knownDestination(now, name);
    if (at.provider !== brought.settings.provider) throw signedInElsewhere(brought.settings.provider, at.provider);
    const isOtherClient = clientOf(at) !== clientOf(brought.settings);
    await keychain.set(secretsNamed(name, { ...(isOtherClient ? noClientSecret(at) : {}), ...brought.secrets }));
    return await settings.update((all) => {
      const before = knownDestination(all, name);
      return withDestination(all, name, {
        ...before,
        settings: withClientOf(before.settings, brought.settings),
        signedInAt: brought.at,
      });
    });
  });
}

/** Keeps a refresh token that the provider has put in the place of the former one, where the destination still goes by that sign-in. */
export async function keepRefreshToken(
  { settings, keychain }: { readonly settings: TwoPlaces['settings']; readonly keychain: () => Promise<Keychain> },
  name: string,
  signedInAt: number | undefined,
  refreshToken: string,
): Promise<void> {
  await settings.alone(async (now) => {
    const destination = destinationCalled(now, name);
    if (destination === undefined || destination.signedInAt !== signedInAt) return;
    await (await keychain()).set(secretsNamed(name, { refreshToken }));
  });
}

/** Forgets a destination with its secrets, or neither. `refuse`: throws where the settings still need it; `seen`: those there are. */
export async function forgetDestination(
  { settings, keychain }: TwoPlaces,
  name: string,
  refuse: (settings: Settings) => void,
  seen: Settings,
): Promise<void> {
  knownDestination(seen, name);
  refuse(seen);
  // Before anything is removed, as a locked keychain refuses it, and somebody may be asked for its passphrase.
  const hasAny = (await keychain.exists()) && (await keychain.names()).length > 0;
  await settings.alone(async (now) => {
    const gone = knownDestination(now, name);
    refuse(now);
    const secrets = providerSecrets[gone.settings.provider].map((secret) => destinationSecret(name, secret.name));
    const named = Object.fromEntries([destinationPassword(name), ...secrets].map((secret) => [secret, null]));
    await settings.update((all) => {
      refuse(all);
      return { ...all, destinations: Object.fromEntries(Object.entries(all.destinations).filter(([other]) => other !== name)) };
    });
    if (!hasAny) return;
    try {
      await keychain.set(named);
    } catch (error) {
      // With its secrets still there it is not forgotten.
      await settings.update((all) => withDestination(all, name, gone));
      throw error;
    }
  });
}

export function withDestination(all: Settings, name: string, destination: NamedDestination): Settings {
  return { ...all, destinations: { ...all.destinations, [name]: destination } };
}

export function signedInElsewhere(provider: string, wanted: string): Fault {
  return new Fault('config-invalid', `this sign-in was with ${provider}, not with ${wanted}`, {
    operation: 'sign in',
    context: saying('sign-in-elsewhere', {}),
  });
}
