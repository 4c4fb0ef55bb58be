import type { AccountInfo } from '../../../contract/account-info.ts';
import type { CallOptions } from '../../../engine/storage/backend.ts';
import { mapped } from './errors.ts';
import { openHttp } from '../../network/http.ts';
import { openSession } from './session.ts';
import { resolveB2Place, type B2Keys, type B2Options, type B2Settings } from './settings.ts';

/** In the order in which people ask. */
const rights = [
  ['listFiles', 'list'],
  ['readFiles', 'read'],
  ['writeFiles', 'write'],
  ['deleteFiles', 'delete'],
] as const;

/**
 * The account's id, the bucket, and what the key may do there. B2 tells neither use nor quota: there is no limit but the caps that the
 * person has set. Faults: as of signing in.
 */
export async function b2Account(settings: B2Settings, keys: B2Keys, options: B2Options & CallOptions = {}): Promise<AccountInfo> {
  const place = resolveB2Place(settings, options);
  const { accountId, capabilities } = await mapped('sign in', place.label, options.signal, () =>
    openSession(openHttp(), place, keys, options.signal),
  );
  const can = rights.filter(([name]) => capabilities.includes(name)).map(([, word]) => word);
  const not = rights.filter(([name]) => !capabilities.includes(name)).map(([, word]) => word);
  const may = `may ${can.length === 0 ? 'do nothing there' : can.join(', ')}${not.length === 0 ? '' : `; not ${not.join(', ')}`}`;
  return { name: `account ${accountId}, bucket ${place.bucket} (the key ${may})` };
}
