import type { About, DriveApi } from './api.ts';
import { notDrive } from './errors.ts';

const atOnce = 50;

/** Ids for new files, from Google, many at once: a file made under one of them cannot be made twice. */
export function openIds(api: DriveApi): (about: About) => Promise<string> {
  let pool: string[] = [];
  return async (about) => {
    if (pool.length === 0) {
      const { ids } = await api.call(about, (drive, options) => drive.files.generateIds({ count: atOnce, space: 'drive' }, options));
      if (!Array.isArray(ids) || ids.length === 0) throw notDrive(about.operation, about.what);
      pool = [...pool, ...ids];
    }
    const id = pool.pop();
    if (id === undefined) throw notDrive(about.operation, about.what);
    return id;
  };
}
