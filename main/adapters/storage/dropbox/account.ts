import { z } from 'zod';
import type { AccountInfo } from '../../../contract/account-info.ts';
import type { CallOptions } from '../../../engine/storage/backend.ts';
import type { TokenSource } from '../../oauth/token-source.ts';
import { openApi, type DropboxApi } from './api.ts';
import { resolveDropboxPlace, type DropboxOptions } from './settings.ts';

const accountSchema = z.object({ email: z.string().optional(), name: z.object({ display_name: z.string() }) });
const spaceSchema = z.object({ used: z.number(), allocation: z.object({ allocated: z.number().optional() }) });

/** Whose account it is and how full. Needs the permission account_info.read. */
export async function dropboxAccount(
  tokens: TokenSource,
  options: DropboxOptions & { readonly signal?: AbortSignal } = {},
): Promise<AccountInfo> {
  return await accountOf(openApi(resolveDropboxPlace({ folder: 'account' }, options), tokens), options);
}

export async function accountOf(api: DropboxApi, options: CallOptions = {}): Promise<AccountInfo> {
  const about = { operation: 'look-up', what: 'the account', signal: options.signal };
  const account = await api.rpc('users/get_current_account', null, accountSchema, about);
  const { used, allocation } = await api.rpc('users/get_space_usage', null, spaceSchema, about);
  return {
    name: account.email ?? account.name.display_name,
    usedBytes: used,
    ...(allocation.allocated === undefined ? {} : { quotaBytes: allocation.allocated }),
  };
}
