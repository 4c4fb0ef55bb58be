import { resolve } from 'node:path';
import type { S3Settings } from '../adapters/storage/s3/settings.ts';
import { Fault } from '../contract/faults.ts';
import { isPlainBeyondLoopback, parseS3Url, s3SettingsAsText } from './destination-s3-url.ts';

/** Which place, without secrets. One member for each provider. */
export type DestinationSettings = FolderSettings | ({ readonly provider: 's3' } & S3Settings);

export interface FolderSettings {
  readonly provider: 'folder';
  readonly path: string;
}

const operation = 'read the destination';

/**
 * `folder:/path`, `folder:relative` or `s3:bucket/prefix?…`. A folder's path is taken as it stands, `%` is an ordinary letter. A leading `~` is refused: no shell
 * expands it after the colon, and a folder named `~` would be made unasked. Anything else is fault config-invalid.
 */
export function parseDestinationUrl(text: string, cwd: string): DestinationSettings {
  const match = /^([A-Za-z][A-Za-z0-9+.-]*):(.*)$/s.exec(text);
  if (match === null) {
    throw invalid(
      text === ''
        ? 'The destination is empty; write folder:/path or s3:bucket/prefix'
        : `The destination ${text} says no kind; for a folder on this computer write folder:${text}`,
    );
  }
  const scheme = (match[1] ?? '').toLowerCase();
  const rest = match[2] ?? '';
  if (scheme === 'folder') return folder(rest, cwd);
  if (scheme === 's3') return { provider: 's3', ...parseS3Url(rest) };
  if (scheme === 'memory') {
    throw invalid('A memory: destination would be gone when this command ends; it exists for tests only. Write folder:/path');
  }
  if (scheme.length === 1) {
    throw invalid(`The destination ${text} looks like a drive; for a folder on this computer write folder:${text}`);
  }
  throw invalid(
    `The destination kind ${scheme}: is not known; known are folder:/path and s3:bucket/prefix (destinations called by a name come later)`,
  );
}

/** The settings as text pairs, as they go into a recovery kit. */
export function settingsAsText(settings: DestinationSettings): Readonly<Record<string, string>> {
  if (settings.provider === 's3') return { provider: 's3', ...s3SettingsAsText(settings) };
  return { provider: settings.provider, path: settings.path };
}

/** What is dangerous about settings that work; empty when nothing is. */
export function dangerOf(settings: DestinationSettings): string {
  if (settings.provider !== 's3' || !isPlainBeyondLoopback(settings)) return '';
  return `${settings.endpoint ?? ''} is not encrypted: what is stored is sealed, but others on the way can read its names and forge answers. Use https`;
}

function folder(rest: string, cwd: string): FolderSettings {
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
