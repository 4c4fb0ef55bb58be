import type { KeychainKind } from '../../contract/destinations.ts';
import { asFault, Fault } from '../../contract/faults.ts';
import { saying } from '../../contract/sayings.ts';
import type { Keychain } from '../../engine/service/keychain.ts';
import type { Host } from '../host.ts';

/** A key file that nobody is there to open is a locked one: the schedule waits, and tries again. */
export async function openableKeychain(cli: Host, kind: KeychainKind): Promise<Keychain> {
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
          next: 'Give it with HOLDFAST_KEYCHAIN_PASSPHRASE_FILE or as the credential holdfast.passphrase, or run “holdfast keychain use machine-key”.',
        },
        cause: fault,
      });
    }
  };
  return {
    ...inner,
    get: (name) => locked(inner.get(name)),
    names: () => locked(inner.names()),
    set: (secrets) => locked(inner.set(secrets)),
  };
}
