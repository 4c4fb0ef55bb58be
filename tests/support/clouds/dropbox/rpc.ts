import { randomBytes } from 'node:crypto';
import { finishOne } from './content.ts';
import { Refusal } from './refusal.ts';
import { checkPath, folderMetadata, metadataOf, type State } from './state.ts';

interface Argument {
  readonly path?: string;
  readonly recursive?: boolean;
  readonly limit?: number;
  readonly cursor?: string;
  readonly entries?: readonly Parameters<typeof finishOne>[1][];
}

/** Calls whose argument and result are JSON bodies. */
export async function answerRpc(state: State, route: string, argument: unknown, pageSize: number, now: number): Promise<unknown> {
  const given = (argument ?? {}) as Argument;
  const { path = '' } = given;
  const lower = path.toLowerCase();
  switch (route) {
    case 'files/get_metadata': {
      const file = state.find(path);
      if (file !== undefined) return metadataOf(file);
      checkPath(path);
      const folder = state.folders.get(lower);
      if (folder !== undefined) return folderMetadata(folder);
      throw new Refusal(409, ['path', 'not_found']);
    }
    case 'files/list_folder': {
      if (path === '/') throw new Refusal(400, ['path: use an empty string for the root']);
      if (path !== '' && !state.folders.has(lower)) throw new Refusal(409, ['path', state.files.has(lower) ? 'not_folder' : 'not_found']);
      return pageOf(state, listed(state, lower, given.recursive === true), Math.min(given.limit ?? pageSize, pageSize));
    }
    case 'files/list_folder/continue': {
      const rest = state.cursors.get(given.cursor ?? '');
      if (rest === undefined) throw new Refusal(409, ['reset']);
      return pageOf(state, rest, pageSize);
    }
    case 'files/delete_v2': {
      checkPath(path);
      const file = state.files.get(lower);
      const folder = state.folders.get(lower);
      if (file === undefined && folder === undefined) throw new Refusal(409, ['path_lookup', 'not_found']);
      state.remove(path);
      return { metadata: file === undefined ? folderMetadata(folder ?? path) : metadataOf(file) };
    }
    case 'files/create_folder_v2': {
      checkPath(path);
      if (state.folders.has(lower)) throw new Refusal(409, ['path', 'conflict', 'folder']);
      state.makeFolder(path);
      return { metadata: folderMetadata(path) };
    }
    case 'files/upload_session/finish_batch_v2':
    case 'files/upload_session/finish_batch': {
      const entries: object[] = [];
      for (const entry of given.entries ?? []) entries.push(await finishOne(state, entry, now));
      return route.endsWith('v2') ? { entries } : { '.tag': 'complete', entries };
    }
    case 'users/get_current_account':
      return {
        account_id: 'dbid:1',
        name: { display_name: 'A Person', given_name: 'A', surname: 'Person', familiar_name: 'A', abbreviated_name: 'AP' },
        email: 'person@example.org',
        account_type: { '.tag': 'basic' },
        root_info: { '.tag': 'user', root_namespace_id: '1', home_namespace_id: '1' },
      };
    case 'users/get_space_usage':
      return { used: state.used, allocation: { '.tag': 'individual', allocated: state.quota } };
    default:
      throw new Refusal(404, ['no_such_route']);
  }
}

function listed(state: State, folder: string, recursive: boolean): readonly object[] {
  const inside = (name: string): boolean => {
    if (!name.startsWith(`${folder}/`)) return false;
    return recursive || !name.slice(folder.length + 1).includes('/');
  };
  return [
    ...[...state.folders].filter(([name]) => inside(name)).map(([, display]) => folderMetadata(display)),
    ...[...state.files].filter(([name]) => inside(name)).map(([, file]) => metadataOf(file)),
  ];
}

function pageOf(state: State, entries: readonly object[], size: number): object {
  const cursor = randomBytes(12).toString('hex');
  state.cursors.set(cursor, entries.slice(size));
  return { entries: entries.slice(0, size), cursor, has_more: entries.length > size };
}
