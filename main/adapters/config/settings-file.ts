import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../../contract/faults.ts';
import { emptySettings, settingsSchema, settingsVersion, type Settings } from '../../contract/settings.ts';
import { problemsOf } from '../../engine/service/check-settings.ts';
import type { Clock } from '../../engine/ports.ts';
import type { LiveSettings } from '../../engine/service/settings-ports.ts';
import { notWritten } from '../files/not-written.ts';
import { replaceFile } from '../files/replace-file.ts';
import { holdingLock } from '../system/wait-for-lock.ts';
import { lineOf } from './json-line.ts';
import { lineOfMember } from './member-line.ts';

export interface SettingsFile {
  readonly path: string;
  /** What stands in the file now; none yet: empty settings. A file that cannot be used is fault config-invalid that says where it is wrong. */
  read(): Promise<Settings>;
  /** Reads, changes and writes while no other process does; settles to what is written. Never writes over a file that cannot be used. */
  update(change: (settings: Settings) => Settings): Promise<Settings>;
  /** As LiveSettings has it. */
  readonly alone: LiveSettings['alone'];
}

export interface SettingsFileOptions {
  /** The folder; made with access for this user only. */
  readonly folder: string;
  /** Where the lock between processes lies. */
  readonly stateDir: () => Promise<string>;
  readonly clock: Clock;
}

const operation = 'read the settings';

/** `config.json` in `folder`, mode 0600, replaced in one step; `config.last-good.json` is what stood there before the last change. */
export function settingsFile({ folder, stateDir, clock }: SettingsFileOptions): SettingsFile {
  const path = join(folder, 'config.json');
  const lastGood = join(folder, 'config.last-good.json');

  async function readText(): Promise<string | null> {
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      if (isMissing(error)) return null;
      throw new Fault('config-invalid', `${path} cannot be read`, { operation, context: { path }, cause: error });
    }
  }

  const settingsIn = (text: string | null): Settings => (text === null ? emptySettings : parseSettings(text, path));

  const locked = async <T>(lock: string, work: () => Promise<T>): Promise<T> => await holdingLock(await stateDir(), lock, clock, work);
  const read = async (): Promise<Settings> => settingsIn(await readText());

  return {
    path,
    read,
    // A lock of its own: what is done meanwhile changes the file.
    alone: (work) => locked('destinations', async () => await work(await read())),
    update: (change) =>
      locked('settings', async () => {
        const before = await readText();
        const settings = settingsSchema.parse(change(settingsIn(before)));
        for (const { fault } of problemsOf(settings)) throw fault;
        if (before !== null) await replaceFile(lastGood, before);
        // It writes under another name and renames. Loaded now: it brings 22 MB along, which a service that only reads does without.
        const { default: Conf } = await import('conf');
        try {
          await mkdir(folder, { recursive: true, mode: 0o700 });
          const store = new Conf<Record<string, unknown>>({
            cwd: folder,
            configName: 'config',
            configFileMode: 0o600,
            clearInvalidConfig: false,
          });
          store.store = settings;
        } catch (error) {
          throw notWritten(path, error, 'write the settings');
        }
        return settings;
      }),
  };
}

/** The text of a settings file. What is wrong is said with its line and the member that it is about. */
export function parseSettings(text: string, path: string): Settings {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw invalid(path, `line ${lineOf(text, message)}: ${message}`, error);
  }
  const version: unknown = typeof value === 'object' && value !== null && 'version' in value ? value.version : undefined;
  if (typeof version === 'number' && version > settingsVersion) {
    throw new Fault('config-invalid', `${path} was written by a newer Holdfast (version ${version}) and is left as it is`, {
      operation,
      context: { path, version, next: 'Use the newer version of Holdfast, or another configuration folder (HOLDFAST_CONFIG_DIR).' },
    });
  }
  const settings = settingsSchema.safeParse(value);
  if (!settings.success) {
    const [issue] = settings.error.issues;
    throw wrongMember(path, text, issue?.path ?? [], issue?.message ?? 'not understood', settings.error);
  }
  const [problem] = problemsOf(settings.data);
  if (problem !== undefined) throw wrongMember(path, text, problem.path, problem.fault.message, problem.fault);
  return settings.data;
}

function wrongMember(file: string, text: string, path: readonly PropertyKey[], message: string, cause: unknown): Fault {
  return invalid(file, `line ${lineOfMember(text, path)}: ${path.map(String).join('.') || 'the whole'}: ${message}`, cause);
}

function invalid(path: string, what: string, cause: unknown): Fault {
  return new Fault('config-invalid', `${path} cannot be used: ${what}`, {
    operation,
    context: { path, next: 'Correct the file, or put config.last-good.json in its place; it is not written to until then.' },
    cause,
  });
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
