import { t, type Key } from '../../words/language.svelte.ts';

/** What the service says of a folder that cannot be backed up, by what is in the sentence. */
const known: readonly (readonly [RegExp, Key])[] = [
  [/is not a whole path/, 'place.error.path'],
  [/does not exist/, 'folder.problem.missing'],
  [/is not a folder/, 'folder.problem.file'],
  [/may not be read/, 'folder.problem.forbidden'],
  [/is empty/, 'folder.problem.empty'],
  [/lies inside/, 'folder.problem.inside'],
];

/** In the person's language where it is one of those that are known. */
export function folderProblem(said: string, path: string): string {
  const key = known.find(([pattern]) => pattern.test(said))?.[1];
  return key === undefined ? `${said.charAt(0).toUpperCase()}${said.slice(1)}.` : t(key, { path });
}
