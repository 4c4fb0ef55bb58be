import type { CallHandlers } from '../../contract/calls.ts';
import { Fault } from '../../contract/faults.ts';
import { saying } from '../../contract/sayings.ts';
import { isFormerPassword } from '../../contract/secret-names.ts';
import { settingsSchema, type Settings } from '../../contract/settings.ts';
import { z } from 'zod';
import { problemsOf } from './check-settings.ts';
import { allSecrets, settable } from './kept-secrets.ts';
import type { SettingsHost } from './settings-ports.ts';

export type KeychainCalls = Pick<
  CallHandlers,
  'keychain.describe' | 'keychain.open' | 'keychain.use' | 'settings.export' | 'settings.import'
>;

const exportSchema = z.object({ holdfast: z.literal('settings'), settings: settingsSchema, secrets: z.record(z.string(), z.string()) });

/**
 * Where secrets are kept, and taking everything to another computer. `opened`: the keychain in force has just been opened. `beforeSecrets`: waited for
 * before others take the place of the secrets of these names.
 */
export function keychainCalls(
  host: SettingsHost,
  settingsChanged: () => void,
  opened: () => void,
  beforeSecrets: (names: readonly string[]) => Promise<void>,
): KeychainCalls {
  const { settings } = host;
  return {
    'keychain.describe': async () => {
      const keychain = await host.keychain();
      const about = await keychain.describe();
      // A locked keyring does not say, and is not asked: that would ask the person.
      return { ...about, exists: about.locked || (await keychain.exists()) };
    },
    'keychain.open': async ({ passphrase }) => {
      const keychain = await host.keychain();
      const { kind } = await keychain.describe();
      if (kind === 'sealed-file') await openFile(host, passphrase);
      else await keychain.open?.();
      opened();
      return await (await host.keychain()).describe();
    },
    'keychain.use': async ({ kind, acceptWeak, passphrase }) => {
      const before = await host.keychain();
      if ((await before.describe()).kind === kind) {
        throw new Fault('config-invalid', `secrets are kept in ${kind} already`, {
          operation: 'change keychain',
          context: { ...saying('keychain-same', {}), next: 'To change the passphrase of the key file, move to another keychain and back.' },
        });
      }
      const after = await host.keychainOf(kind, passphrase);
      const about = await after.describe();
      if (!about.strong && !acceptWeak) {
        throw new Fault('config-invalid', `secrets would be kept ${about.says}`, {
          operation: 'change keychain',
          context: { ...saying('keychain-weak', {}), next: 'If that is what you want on this computer, say so with --yes.' },
        });
      }
      const { secrets: moved } = await settable(before, await allSecrets(before));
      // First the copy, then the word of it, then the old ones: at no moment are they nowhere.
      await after.set(moved);
      for (const [name, value] of Object.entries(moved)) {
        if ((await after.get(name)) !== value)
          throw new Fault('corrupt', `${name} did not come back from the new keychain`, { operation: 'change keychain' });
      }
      await settings.update((all) => ({ ...all, keychain: kind }));
      const names = Object.keys(moved);
      if (names.length > 0) await before.set(Object.fromEntries(names.map((name) => [name, null])));
      opened();
      return about;
    },
    'settings.export': async ({ passphrase }) => {
      const all = await allSecrets(await host.keychain());
      const secrets = Object.fromEntries(Object.entries(all).filter(([name]) => !isFormerPassword(name)));
      const content = JSON.stringify({ holdfast: 'settings', settings: settings.current(), secrets });
      return { file: Buffer.from(await host.seal(content, passphrase)).toString('base64') };
    },
    'settings.import': async ({ file, passphrase }) => {
      const parsed = exportSchema.safeParse(JSON.parse(await host.unseal(Buffer.from(file, 'base64'), passphrase)));
      if (!parsed.success) {
        throw new Fault('config-invalid', 'the file holds no settings of this version of Holdfast', {
          operation: 'import settings',
          context: saying('no-settings-in-file', {}),
        });
      }
      // Which keychain is in force belongs to this computer, not to the file.
      const taken: Settings = { ...parsed.data.settings };
      delete taken.keychain;
      // Before a secret is kept: the settings as a whole are checked once more when they are written.
      for (const { fault } of problemsOf(taken)) throw fault;
      const keychain = await host.keychain();
      const { secrets, given } = await settable(keychain, parsed.data.secrets);
      // With the passwords that are there: the consoles that were told to hold still have those.
      await beforeSecrets(Object.keys(secrets));
      await keychain.set(secrets);
      await settings.update((here) => ({ ...taken, ...(here.keychain === undefined ? {} : { keychain: here.keychain }) }));
      settingsChanged();
      return { leftOut: [...given] };
    },
  };
}

/** A file that is not there yet is made with it, so that the next one who is asked for it must give the same. */
async function openFile(host: SettingsHost, passphrase: string | undefined): Promise<void> {
  if (passphrase === undefined) {
    throw new Fault('config-invalid', 'the file that keeps the secrets opens with its passphrase only', { operation: 'open the keychain' });
  }
  const keychain = await host.keychainOf('sealed-file', passphrase);
  if (await keychain.exists()) await keychain.names();
  else await keychain.set({});
}
