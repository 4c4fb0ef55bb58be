import { expect } from 'vitest';
import { vaultName } from '../../main/engine/archive/vault.ts';
import { openDropboxPlace, type DropboxPlace } from '../support/clouds/dropbox/place.ts';
import { Refusal } from '../support/clouds/dropbox/refusal.ts';
import { startFaultProxy } from '../support/clouds/fault-proxy.ts';
import { describeVault, putByHand, removed, type VaultCloud } from './vault-suite.ts';

interface OnDropbox extends VaultCloud {
  readonly account: DropboxPlace;
}

describeVault<OnDropbox>('Dropbox', {
  start: async (hold) => {
    const account = await openDropboxPlace();
    const proxy = await startFaultProxy(account.server.port, () => null, {}, hold);
    return {
      account,
      open: (folder) => account.fresh({ folder, endpoint: proxy.endpoint }),
      plain: (folder) => account.fresh({ folder }),
      isVaultWrite: ({ url = '', headers }) => url.endsWith('/files/upload') && String(headers['dropbox-api-arg']).includes(vaultName),
      close: async () => {
        await proxy.close();
        await account.close();
      },
    };
  },
  hidden: {
    deleted: removed,
    'not found by who reads it': ({ account: { server } }, place) => {
      let written = false;
      server.refuse = (route, request) => {
        const isVault = String(request.headers['dropbox-api-arg']).includes(`/${place}/${vaultName}`);
        if (isVault && route === 'files/upload') written = true;
        return isVault && route === 'files/download' && !written ? new Refusal(409, ['path', 'not_found']) : null;
      };
      return Promise.resolve(() => {
        server.refuse = () => null;
      });
    },
  },
  unseenOnce: ({ account: { server } }, place) => {
    let left = 1;
    server.refuse = (route, request) => {
      const isVault = String(request.headers['dropbox-api-arg']).includes(`/${place}/${vaultName}`);
      return isVault && route === 'files/download' && left-- > 0 ? new Refusal(409, ['path', 'not_found']) : null;
    };
    return Promise.resolve(() => {
      expect(left).toBeLessThan(1);
      server.refuse = () => null;
    });
  },
  stale: { 'its former content': putByHand() },
});
