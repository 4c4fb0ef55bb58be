import { describe, expect } from 'vitest';
import { vaultName } from '../../main/engine/archive/vault.ts';
import { s3Backend } from '../../main/adapters/storage/s3/s3-backend.ts';
import { makeBucket } from '../support/s3/destinations.ts';
import { startS3FaultProxy, type DecideS3 } from '../support/s3/faults.ts';
import { onSwift, startSwift, swiftKeys, swiftMissing } from '../support/s3/swift.ts';
import { describeVault, putByHand, removed, type VaultCloud } from './vault-suite.ts';

interface OnS3 extends VaultCloud {
  decide: DecideS3;
}

/** A server that knows no If-None-Match for an upload. */
describe.skipIf(swiftMissing !== '')(onSwift('on OpenStack Swift'), () => {
  describeVault<OnS3>('S3', {
    start: async (hold) => {
      const swift = await startSwift();
      const bucket = await makeBucket(swift.endpoint);
      const proxy = await startS3FaultProxy(swift.port, (request) => cloud.decide(request), hold);
      const cloud: OnS3 = {
        decide: () => null,
        open: (prefix) => s3Backend({ bucket, prefix, endpoint: proxy.endpoint }, swiftKeys),
        plain: (prefix) => s3Backend({ bucket, prefix, endpoint: swift.endpoint }, swiftKeys),
        // Swift refuses each the condition with which it tries first.
        isVaultWrite: ({ method, url = '', headers }) =>
          method === 'PUT' && url.includes(vaultName) && headers['if-none-match'] === undefined,
        close: async () => {
          await proxy.close();
          swift.stop();
        },
      };
      return cloud;
    },
    hidden: {
      gone: removed,
      'not found by who reads it, as in a store that is not yet consistent': (cloud) => {
        let written = false;
        cloud.decide = ({ method, url = '' }) => {
          if (!url.includes(vaultName)) return null;
          if (method === 'PUT') written = true;
          return written ? null : 'no-such-key';
        };
        return Promise.resolve(() => {
          cloud.decide = () => null;
        });
      },
    },
    unseenOnce: (cloud) => {
      let left = 1;
      cloud.decide = ({ method, url = '' }) => (method === 'GET' && url.includes(vaultName) && left-- > 0 ? 'no-such-key' : null);
      return Promise.resolve(() => {
        expect(left).toBeLessThan(1);
        cloud.decide = () => null;
      });
    },
    stale: { 'its former content': putByHand() },
  });
});
