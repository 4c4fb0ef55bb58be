import { Fault } from '../../../contract/faults.ts';

/** An unfinished upload that exists on the server: its id, URL-encoded, a space, its key. */
export function tokenOf(key: string, uploadId: string): string {
  return `${encodeURIComponent(uploadId)} ${key}`;
}

/** An upload of which the server knows nothing yet: its bytes are still here. */
export const unsentToken = 'unsent';

/** Null for an upload that was never sent. Throws fault config-invalid for what is no token. */
export function parseToken(token: string): { readonly key: string; readonly uploadId: string } | null {
  if (token === unsentToken) return null;
  const match = /^([^ ]+) (.+)$/s.exec(token);
  const [, id, key] = match ?? [];
  if (id === undefined || key === undefined) {
    throw new Fault('config-invalid', `${JSON.stringify(token)} is no unfinished upload`, { operation: 'abandon', context: { token } });
  }
  return { key, uploadId: decodeURIComponent(id) };
}
