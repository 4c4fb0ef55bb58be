import type { KeychainKind } from '../../contract/destinations.ts';
import { asFault, Fault } from '../../contract/faults.ts';
import { saying } from '../../contract/sayings.ts';
import type { Keychain } from '../../engine/service/keychain.ts';
import type { Host } from '../host.ts';

/**
 * A key file that nobody is there to open is a locked one: the schedule waits, and tries again. `looks`: describe() finds out whether it is; for a
 * command, whose person may be asked for the passphrase, it does not.
 */
export async function openableKeychain(cli: Host, kind: KeychainKind, looks: boolean): Promise<Keychain> {
  const inner = await cli.openKeychain(kind);
  if (kind !== 'sealed-file') return inner;
  const locked = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      const fault = asFault(error, 'open the keychain');
      if (fault.code !== 'config-invalid') throw fault;
      throw new Fault('locked', 'the file that keeps the secrets is locked: its passphrase was not given', {
        operation: 'open the keychain',
        persistence: 'temporary',
        context: {
          ...saying('keychain-locked', {}),
          keychain: kind,
          next: 'Open it on the page, or give the passphrase with HOLDFAST_KEYCHAIN_PASSPHRASE_FILE or as the credential holdfast.passphrase, or run “holdfast keychain use machine-key”.',
        },
        cause: fault,
      });
    }
  };
  const isLocked = async (): Promise<boolean> => {
    if (!(await inner.exists())) return false;
    return await inner.names().then(
      () => false,
      (error: unknown) => isUnopened(asFault(error, 'open the keychain')),
    );
  };
  return {
    ...inner,
    describe: async () => ({ ...(await inner.describe()), locked: looks && (await isLocked()) }),
    get: (name) => locked(inner.get(name)),
    names: () => locked(inner.names()),
    set: (secrets) => locked(inner.set(secrets)),
  };
}

/** Nobody gave a passphrase, or not the right one. */
function isUnopened({ code }: Fault): boolean {
  return code === 'config-invalid' || code === 'wrong-password';
}
