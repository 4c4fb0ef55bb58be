import { resolve } from 'node:path';
import { Fault } from '../contract/faults.ts';

/** Which place, without secrets. One member for each provider. */
export type DestinationSettings = { readonly provider: 'folder'; readonly path: string };

const operation = 'read the destination';

/**
 * `folder:/path` or `folder:relative`. The path is taken as it stands, `%` is an ordinary letter. A leading `~` is refused: no shell
 * expands it after the colon, and a folder named `~` would be made unasked. Anything else is fault config-invalid.
 */
export function parseDestinationUrl(text: string, cwd: string): DestinationSettings {
  const match = /^([A-Za-z][A-Za-z0-9+.-]*):(.*)$/s.exec(text);
  if (match === null) {
    throw invalid(
      text === ''
        ? 'The destination is empty; write folder:/path'
        : `The destination ${text} says no kind; for a folder on this computer write folder:${text}`,
    );
  }
  const scheme = (match[1] ?? '').toLowerCase();
  const rest = match[2] ?? '';
  if (scheme === 'folder') return folder(rest, cwd);
  if (scheme === 'memory') {
    throw invalid('A memory: destination would be gone when this command ends; it exists for tests only. Write folder:/path');
  }
  if (scheme.length === 1) {
    throw invalid(`The destination ${text} looks like a drive; for a folder on this computer write folder:${text}`);
  }
  throw invalid(
    `The destination kind ${scheme}: is not known; known is folder:/path (clouds, and destinations called by a name, come later)`,
  );
}

/** The settings as text pairs, as they go into a recovery kit. */
export function settingsAsText(settings: DestinationSettings): Readonly<Record<string, string>> {
  return { provider: settings.provider, path: settings.path };
}

function folder(rest: string, cwd: string): DestinationSettings {
  if (rest === '') throw invalid('The destination folder: names no path; write folder:/path');
  if (/^~(\/|$)/.test(rest)) {
    throw invalid(
      `In folder:${rest} nothing expands the ~; write folder:"$HOME"${rest.slice(1)} (or folder:./${rest} for a folder of that name)`,
    );
  }
  if (rest.includes('\0')) throw invalid('The path of the destination holds a NUL character');
  // People write folder:///path by habit; three slashes are one, but //host/share would silently become a local path.
  if (/^\/\/[^/]/.test(rest)) throw invalid(`The destination folder:${rest} names a computer; only local folders work. Write folder:/path`);
  return { provider: 'folder', path: resolve(cwd, rest) };
}

function invalid(message: string): Fault {
  return new Fault('config-invalid', message, { operation });
}
