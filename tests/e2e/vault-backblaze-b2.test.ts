import { expect } from 'vitest';
import { vaultName } from '../../main/engine/archive/vault.ts';
import { openB2Place, testBucket, type B2Place } from '../support/clouds/backblaze-b2/place.ts';
import { Refusal } from '../support/clouds/backblaze-b2/refusal.ts';
import { startFaultProxy } from '../support/clouds/fault-proxy.ts';
import { describeVault, putByHand, removed, type VaultCloud, type VaultSubject } from './vault-suite.ts';

interface OnB2 extends VaultCloud {
  readonly account: B2Place;
}

const allButDelete = ['listBuckets', 'listFiles', 'readFiles', 'writeFiles'];

/** With keys of these rights; without the right to delete, B2 keeps the versions that are replaced, and no condition holds. */
function onB2(capabilities?: readonly string[]): VaultSubject<OnB2> {
  return {
    start: async (hold) => {
      const account = await openB2Place();
      const proxy = await startFaultProxy(account.server.port, () => null, {}, hold);
      const rights = capabilities === undefined ? {} : { capabilities };
      return {
        account,
        open: (prefix) => {
          const keys = account.server.addKey({ buckets: [testBucket], namePrefix: `${prefix}/`, ...rights });
          return account.fresh({ keys, prefix, endpoint: proxy.endpoint });
        },
        plain: (prefix) => account.fresh({ prefix }),
        isVaultWrite: ({ url = '', headers }) =>
          url.includes('b2_upload_file') && String(headers['x-bz-file-name']).endsWith(`/${vaultName}`),
        close: async () => {
          await proxy.close();
          await account.close();
        },
      };
    },
    hidden: {
      'gone with all versions': removed,
      'hidden by a marker': ({ account: { server } }, place) => {
        server.hide(testBucket, `${place}/${vaultName}`);
        return Promise.resolve(() => undefined);
      },
    },
    unseenOnce: ({ account: { server } }, place) => {
      let left = 1;
      server.refuse = (call, { url = '' }) =>
        call === 'b2_download_file_by_name' && url.endsWith(`/${place}/${vaultName}`) && left-- > 0
          ? new Refusal(404, 'not_found', 'File with such name does not exist.')
          : null;
      return Promise.resolve(() => {
        expect(left).toBeLessThan(1);
        server.refuse = () => null;
      });
    },
    stale: {
      'its former content, as the newest of all versions': putByHand(({ account }, prefix) =>
        account.fresh({ prefix, keys: account.server.addKey({ capabilities: allButDelete }) }),
      ),
    },
  };
}

describeVault<OnB2>('Backblaze B2', onB2());
describeVault<OnB2>('Backblaze B2, with keys that may not delete', onB2(allButDelete));
