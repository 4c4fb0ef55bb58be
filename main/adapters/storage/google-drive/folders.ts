import { Fault } from '../../../contract/faults.ts';
import type { About, DriveApi } from './api.ts';
import { folderType, inAny, quoted, search, type DriveFile } from './files.ts';

/** The folders of a destination by their paths: several where one name was made twice, the oldest first. */
export interface Folders {
  /** Ids of the folder that `path` (names joined by `/`, empty: the destination's own) leads to; none when there is none. */
  find(path: string, about: About): Promise<readonly string[]>;
  /** The id of the one to write to, made where it is missing. */
  make(path: string, about: About): Promise<string>;
  /** What is known may be wrong: it is looked up again. */
  forget(): void;
}

const oldestFirst = (a: DriveFile, b: DriveFile): number => Date.parse(a.createdTime) - Date.parse(b.createdTime) || (a.id < b.id ? -1 : 1);

export function openFolders(api: DriveApi, newId: (about: About) => Promise<string>): Folders {
  let known = new Map<string, readonly string[]>();
  /** Ids of folders whose making has not been answered, by their parent and name. */
  const begun = new Map<string, string>();
  /** One after the other, whatever the path: they share their beginnings, and two that make the same folder at the same moment must not make two. */
  let last: Promise<unknown> = Promise.resolve();
  const names = (path: string): readonly string[] => [...api.place.folders, ...path.split('/').filter((name) => name !== '')];

  async function children(parents: readonly string[], name: string, about: About): Promise<readonly string[]> {
    const found: DriveFile[] = [];
    const query = `${inAny(parents)} and name = ${quoted(name)} and mimeType = ${quoted(folderType)}`;
    for await (const folder of search(api, query, about)) found.push(folder);
    return found.sort(oldestFirst).map(({ id }) => id);
  }

  async function find(path: string, about: About): Promise<readonly string[]> {
    let ids: readonly string[] = ['root'];
    let way = '';
    for (const name of names(path)) {
      way += `/${name}`;
      const there = known.get(way) ?? (await children(ids, name, about));
      if (there.length === 0) return [];
      known.set(way, there);
      ids = there;
    }
    return ids;
  }

  /** Where the reply is lost and a listing does not show the folder yet, the next attempt comes with the same id, which is then in use. */
  async function makeOne(parent: string, name: string, about: About): Promise<string> {
    const place = `${parent}/${name}`;
    const id = begun.get(place) ?? (await newId(about));
    begun.set(place, id);
    try {
      await api.call(about, (drive, options) =>
        drive.files.create({ requestBody: { id, name, mimeType: folderType, parents: [parent] }, fields: 'id' }, options),
      );
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'already-exists') throw error;
    }
    begun.delete(place);
    return id;
  }

  async function make(path: string, about: About): Promise<string> {
    let parents: readonly string[] = ['root'];
    let way = '';
    for (const name of names(path)) {
      way += `/${name}`;
      let there = known.get(way) ?? (await children(parents, name, about));
      if (there.length === 0) {
        const made = await makeOne(parents[0] ?? 'root', name, about);
        // Another machine may have made it at the same moment: whoever came later sees both, and both write to the older one.
        const seen = await children(parents, name, about);
        there = seen.includes(made) ? seen : [...seen, made];
      }
      known.set(way, there);
      parents = there;
    }
    return parents[0] ?? 'root';
  }

  return {
    find,
    make(path, about) {
      const made = last.then(
        () => make(path, about),
        () => make(path, about),
      );
      last = made;
      return made;
    },
    forget() {
      known = new Map();
    },
  };
}
