import { writeFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { vaultName } from '../../main/engine/archive/vault.ts';
import { startFaultProxy } from '../support/clouds/fault-proxy.ts';
import { isFinish } from '../support/clouds/google-drive/faults.ts';
import { openDrivePlace, type DrivePlace } from '../support/clouds/google-drive/place.ts';
import { contentOf, type Item } from '../support/clouds/google-drive/state.ts';
import { describeVault, putByHand, removed, type VaultCloud } from './vault-suite.ts';

interface OnDrive extends VaultCloud {
  readonly account: DrivePlace;
}

/** The vault's one file in a folder of Drive that bears a name of its own. */
function vaultIn({ server: { state } }: DrivePlace, place: string): Item {
  const items = [...state.items.values()];
  const folder = items.find(({ name }) => name === place);
  const [file, ...others] = items.filter(({ name, parents }) => name === vaultName && parents.includes(folder?.id ?? ''));
  if (file === undefined || others.length > 0) throw new Error(`${place} holds ${others.length + (file === undefined ? 0 : 1)} vaults`);
  return file;
}

describeVault<OnDrive>('Google Drive', {
  start: async (hold) => {
    const account = await openDrivePlace();
    const proxy = await startFaultProxy(account.server.port, () => null, {}, hold);
    return {
      account,
      open: (folder) => account.fresh({ folder, endpoint: proxy.endpoint }),
      plain: (folder) => account.fresh({ folder }),
      // A vault of one record.
      isVaultWrite: (request) => isFinish(request) && request.headers['content-range'] === 'bytes 0-91/92',
      isFirstWrite: ({ method, url = '' }) => method === 'POST' && url.startsWith('/drive/v3/files'),
      close: async () => {
        await proxy.close();
        await account.close();
      },
    };
  },
  hidden: {
    'deleted for good': removed,
    'in the trash': ({ account }, place) => {
      vaultIn(account, place).trashed = true;
      return Promise.resolve(() => undefined);
    },
    'not in the listings yet, so that a second one is made under its name': ({ account }, place) => {
      const { id } = vaultIn(account, place);
      account.server.hidden = (item) => item.id === id;
      return Promise.resolve(() => {
        account.server.hidden = () => false;
      });
    },
  },
  unseenOnce: ({ account }, place) => {
    const { server } = account;
    const { id } = vaultIn(account, place);
    let [left, hiding] = [1, false];
    server.refuse = (_, { url = '' }) => {
      hiding = url.includes(vaultName) && left-- > 0;
      return null;
    };
    server.hidden = (item) => hiding && item.id === id;
    return Promise.resolve(() => {
      expect(left).toBeLessThan(1);
      server.refuse = () => null;
      server.hidden = () => false;
    });
  },
  stale: {
    'its former content': putByHand(),
    'a former file of the same name, the present one not in the listings yet': async ({ account }, place, former) => {
      const present = vaultIn(account, place);
      const blob = account.server.state.newBlob();
      await writeFile(blob, former);
      const { name, parents } = present;
      account.server.state.create({ name, parents, modifiedTime: '2020-01-01T00:00:00Z' }, await contentOf(blob));
      account.server.hidden = ({ id }) => id === present.id;
      return () => {
        account.server.hidden = () => false;
      };
    },
  },
});
