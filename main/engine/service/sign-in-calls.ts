import type { CallHandlers } from '../../contract/calls.ts';
import { clientOf } from '../../contract/same-place.ts';
import { destinationSecrets } from './kept-secrets.ts';
import { keepSignIn } from './kept-together.ts';
import { knownDestination } from './known-destination.ts';
import { destinationRow, keptNames } from './destination-calls.ts';
import type { KeptClient, SettingsHost } from './settings-ports.ts';
import type { SignIns } from './sign-ins.ts';

export type SignInCalls = Pick<CallHandlers, 'signIn.start' | 'signIn.get' | 'signIn.paste' | 'signIn.cancel' | 'destination.signIn'>;

/** Signing in with a provider from a face. */
export function signInCalls(host: SettingsHost, signIns: SignIns, changed: () => void): SignInCalls {
  const { settings } = host;

  async function keptClient(destination: string | undefined): Promise<KeptClient> {
    if (destination === undefined) return { secrets: {}, clientId: '' };
    const { settings: at } = knownDestination(settings.current(), destination);
    return { secrets: await destinationSecrets(() => host.keychain(), destination, at), clientId: clientOf(at) };
  }

  return {
    'signIn.start': async ({ settings: at, clientSecret, destination }) => {
      const kept = await keptClient(destination);
      return await signIns.start(at.provider, (signal) => host.beginSignIn({ settings: at, clientSecret, kept, signal }));
    },
    'signIn.get': async ({ id }) => signIns.get(id),
    'signIn.paste': async ({ id, address }) => {
      await signIns.paste(id, address);
      return {};
    },
    'signIn.cancel': async ({ id }) => {
      await signIns.cancel(id);
      return {};
    },
    'destination.signIn': async ({ name, signIn }) => {
      const { provider } = knownDestination(settings.current(), name).settings;
      const brought = signIns.brought(signIn, provider);
      const after = await keepSignIn({ settings, keychain: await host.keychain() }, name, brought);
      signIns.forget(signIn);
      changed();
      return destinationRow(name, knownDestination(after, name), await keptNames(host));
    },
  };
}
