import { Fault } from '../../../contract/faults.ts';

/** An unfinished large file: its id, URL-encoded, a space, its key. */
export function tokenOf(key: string, fileId: string): string {
  return `${encodeURIComponent(fileId)} ${key}`;
}

/** An upload of which the server knows nothing yet: its bytes are still here. */
export const unsentToken = 'unsent';

/** Null for an upload that was never sent. Throws fault config-invalid for what is no token. */
export function parseToken(token: string): { readonly key: string; readonly fileId: string } | null {
  if (token === unsentToken) return null;
  const [, id, key] = /^([^ ]+) (.+)$/s.exec(token) ?? [];
  if (id === undefined || key === undefined) {
    throw new Fault('config-invalid', `${JSON.stringify(token)} is no unfinished upload`, { operation: 'abandon', context: { token } });
  }
  return { key, fileId: decodeURIComponent(id) };
}
