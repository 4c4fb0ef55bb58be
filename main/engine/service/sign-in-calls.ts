import type { CallHandlers } from '../../contract/calls.ts';
import { destinationSecret } from '../../contract/secret-names.ts';
import { destinationSecrets } from './kept-secrets.ts';
import { knownDestination } from './known-destination.ts';
import { destinationRow, keptNames } from './destination-calls.ts';
import type { SettingsHost } from './settings-ports.ts';
import type { SignIns } from './sign-ins.ts';
import { withClientOf } from './with-client.ts';

export type SignInCalls = Pick<CallHandlers, 'signIn.start' | 'signIn.get' | 'signIn.paste' | 'signIn.cancel' | 'destination.signIn'>;

/** Signing in with a provider from a face. */
export function signInCalls(host: SettingsHost, signIns: SignIns, changed: () => void): SignInCalls {
  const { settings } = host;
  return {
    'signIn.start': async ({ settings: at, clientSecret, destination }) => {
      const kept =
        destination === undefined
          ? {}
          : await destinationSecrets(() => host.keychain(), destination, knownDestination(settings.current(), destination).settings);
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
      const keychain = await host.keychain();
      const secrets = Object.entries(brought.secrets).map(([secret, value]) => [destinationSecret(name, secret), value] as const);
      await keychain.set(Object.fromEntries(secrets));
      const after = await settings.update((all) => {
        const before = knownDestination(all, name);
        const now = { ...before, settings: withClientOf(before.settings, brought.settings), signedInAt: brought.at };
        return { ...all, destinations: { ...all.destinations, [name]: now } };
      });
      signIns.forget(signIn);
      changed();
      return destinationRow(host, name, knownDestination(after, name), await keptNames(host));
    },
  };
}
