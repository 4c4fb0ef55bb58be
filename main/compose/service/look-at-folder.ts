import { readdir } from 'node:fs/promises';
import { basename } from 'node:path';
import { countTree, type TreeCount } from '../../adapters/files/count-tree.ts';
import type { CallReply } from '../../contract/calls.ts';
import { asFault } from '../../contract/faults.ts';
import { say, sayOf } from '../../contract/sayings.ts';
import type { Settings } from '../../contract/settings.ts';
import { checkApart } from '../../engine/service/apart.ts';
import { slugify } from '../../contract/slug.ts';
import { realPlace } from '../real-place.ts';
import { levelName } from '../server-properties.ts';
import { folderProblem, forbidden, type FolderProblem } from './folder-problem.ts';

/** A person waits: what has not been counted by then is not counted. */
const patienceMs = 700;
/** Folders that say nothing of what is in them; a world called "world" does neither. */
const sayNothing = new Set(['server', 'servers', 'data', 'game', 'minecraft', 'mc', 'world', 'app', 'srv', 'serverfiles', 'home', 'live']);
const nothing: TreeCount = { files: 0, bytes: 0, whole: true };

/** What a folder looks like as a server. Ended by the signal, nothing more is counted. `now`: milliseconds of any clock that only goes forward. */
export async function lookAtFolder(
  path: string,
  settings: Pick<Settings, 'servers' | 'destinations'>,
  signal: AbortSignal,
  now: () => number = () => performance.now(),
): Promise<CallReply<'folder.look'>> {
  const end = now() + patienceMs;
  const unreadable = await folderProblem(path);
  const names = unreadable === null ? await readdir(path).catch(() => null) : null;
  const count = names === null ? nothing : await countTree(path, () => signal.aborted || now() > end);
  const preset = names === null ? null : await presetFor(path, names);
  const [name, slug] = free(await nameFor(path, preset), settings);
  const against = unreadable ?? contentProblem(path, names) ?? (await placeProblem(path, settings)) ?? { problem: '' };
  return { name, slug, preset, ...against, ...count };
}

function contentProblem(path: string, names: readonly string[] | null): FolderProblem | null {
  if (names === null) return forbidden(path);
  return names.length === 0 ? { problem: `${path} is empty: is its disk mounted?`, say: say('folder-empty', { path }) } : null;
}

async function nameFor(path: string, preset: string | null): Promise<string> {
  const own = basename(path);
  const level = preset === 'minecraft' && sayNothing.has(own.toLowerCase()) ? await levelName(path) : '';
  const chosen = level === '' || sayNothing.has(level.toLowerCase()) ? own : level;
  const spaced = chosen.replace(/[-_\s]+/g, ' ').trim();
  return spaced === '' ? 'Server' : (spaced.charAt(0).toUpperCase() + spaced.slice(1)).slice(0, 200);
}

/** A name whose slug no other server has. */
function free(name: string, { servers }: Pick<Settings, 'servers'>): readonly [name: string, slug: string] {
  const taken = new Set(servers.map(({ slug }) => slug));
  for (let number = 1; ; number += 1) {
    // Cut so that the number is not what a long name loses on the way to its slug; letters that grow long there get a plain name.
    const candidate = number === 1 ? name : number > 99 ? `Server ${number}` : `${name.slice(0, 55).trim()} ${number}`;
    const slug = slugify(candidate);
    if (!taken.has(slug)) return [candidate, slug];
  }
}

async function presetFor(path: string, names: readonly string[]): Promise<string | null> {
  const has = (...wanted: readonly string[]): boolean => wanted.some((name) => names.includes(name));
  if (has('server.properties', 'level.dat') || (has('eula.txt') && names.some((name) => name.endsWith('.jar')))) return 'minecraft';
  if (has('steamapps', 'steamcmd', 'steamcmd.sh', 'steam_appid.txt', 'Saved')) return 'steam';
  // Servers built on Unreal keep theirs one folder down: Pal/Saved, ShooterGame/Saved.
  for (const name of names.slice(0, 50)) {
    const inside = await readdir(`${path}/${name}`).catch((): string[] => []);
    if (inside.includes('Saved') && (inside.includes('Binaries') || inside.includes('Content'))) return 'steam';
  }
  return null;
}

/** A backup place in the folder would swallow itself; a folder in a backup place would mix with what is stored there. */
async function placeProblem(
  path: string,
  { destinations }: Pick<Settings, 'destinations'>,
): Promise<FolderProblem | { readonly problem: string } | null> {
  try {
    await checkApart(
      realPlace,
      [path],
      Object.values(destinations).map(({ settings }) => settings),
    );
    return null;
  } catch (error) {
    const fault = asFault(error, 'look at folder');
    const said = sayOf(fault);
    return { problem: fault.message, ...(said === null ? {} : { say: said }) };
  }
}
