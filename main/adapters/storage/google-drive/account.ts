import type { AccountInfo } from '../../../contract/account-info.ts';
import type { CallOptions } from '../../../engine/storage/backend.ts';
import type { TokenSource } from '../../oauth/token-source.ts';
import { openApi, type DriveApi } from './api.ts';
import { resolveDrivePlace, type GoogleDriveOptions } from './settings.ts';

/** Whose account it is and how full: mail and photos count as well. */
export async function googleDriveAccount(
  tokens: TokenSource,
  options: GoogleDriveOptions & { readonly signal?: AbortSignal } = {},
): Promise<AccountInfo> {
  return await accountOf(openApi(resolveDrivePlace({ folder: 'account' }, options), tokens), options);
}

export async function accountOf(api: DriveApi, options: CallOptions = {}): Promise<AccountInfo> {
  const about = { operation: 'look-up', what: 'the account', signal: options.signal };
  const { user, storageQuota } = await api.call(about, (drive, sdk) =>
    drive.about.get({ fields: 'user(displayName,emailAddress),storageQuota(limit,usage)' }, sdk),
  );
  return {
    name: user?.emailAddress ?? user?.displayName ?? 'unknown',
    ...(typeof storageQuota?.usage === 'string' ? { usedBytes: Number(storageQuota.usage) } : {}),
    ...(typeof storageQuota?.limit === 'string' ? { quotaBytes: Number(storageQuota.limit) } : {}),
  };
}
