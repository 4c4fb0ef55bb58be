import { hostname, userInfo } from 'node:os';
import type { PasswordJudge } from '../../adapters/password-judge/password-judge.ts';
import type { CallHandlers } from '../../contract/calls.ts';
import type { Settings } from '../../contract/settings.ts';
import { presetNames, presetPatterns } from '../../engine/presets.ts';
import type { LiveSettings } from '../../engine/service/settings-ports.ts';
import { listFolders } from './list-folders.ts';
import { lookAtFolder } from './look-at-folder.ts';

export type SetupCalls = Pick<CallHandlers, 'folders.list' | 'folder.look' | 'presets.list' | 'password.judge' | 'report.make'>;

export interface SetupParts {
  readonly settings: LiveSettings;
  readonly judge: PasswordJudge;
  readonly report: () => Promise<string>;
}

/** What a face needs while a person sets something up. */
export function setupCalls({ settings, judge, report }: SetupParts): SetupCalls {
  return {
    'folders.list': async ({ path }) => await listFolders(path),
    'folder.look': async ({ path }, signal) => await lookAtFolder(path, settings.current(), signal),
    'presets.list': async () => presetNames.map((name) => ({ name, patterns: [...presetPatterns(name)] })),
    'password.judge': async ({ password, language }) => {
      const { score, warning, suggestions } = await judge.judge({ password, language, known: namesHere(settings.current()) });
      return { score, warning, suggestions: [...suggestions] };
    },
    'report.make': async () => ({ text: await report() }),
  };
}

/** What stands in the settings and on the computer is no secret, and is tried first. */
function namesHere({ servers, destinations }: Settings): readonly string[] {
  const names = servers.flatMap(({ name, slug }) => [name, slug]);
  return ['holdfast', hostname(), userInfo().username, ...names, ...Object.keys(destinations)];
}
