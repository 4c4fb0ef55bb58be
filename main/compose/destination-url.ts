import type { DestinationSettings } from '../contract/destination-settings.ts';
import { Fault } from '../contract/faults.ts';
import { isKey } from '../engine/storage/object-key.ts';
import { isPlainBeyondLoopback, parseS3Url, s3SettingsAsText } from './destination-s3-url.ts';
import { fromHere } from './from-here.ts';

const operation = 'read the destination';

const kinds = 'folder:/path, s3:bucket/prefix, b2:bucket/prefix, google-drive:folder and dropbox:folder';

/**
 * `folder:/path`, `folder:relative`, `s3:bucket/prefix?…`, `b2:bucket/prefix`, `google-drive:folder` or `dropbox:folder`. A folder's path is
 * taken as it stands, `%` is an ordinary letter. A leading `~` is refused: no shell expands it after the colon, and a folder named `~`
 * would be made unasked. Anything else is fault config-invalid.
 */
export function parseDestinationUrl(text: string, cwd: string): DestinationSettings {
  const match = /^([A-Za-z][A-Za-z0-9+.-]*):(.*)$/s.exec(text);
  if (match === null) {
    throw invalid(
      text === ''
        ? `The destination is empty; there are ${kinds}`
        : `The destination ${text} says no kind; for a folder on this computer write folder:${text}`,
    );
  }
  const scheme = (match[1] ?? '').toLowerCase();
  const rest = match[2] ?? '';
  if (scheme === 'folder') return folder(rest, cwd);
  if (scheme === 's3') return { provider: 's3', ...parseS3Url(rest) };
  if (scheme === 'b2') return b2(rest);
  if (scheme === 'google-drive' || scheme === 'dropbox') return { provider: scheme, folder: cloudFolder(scheme, rest) };
  if (scheme === 'memory') {
    throw invalid('A memory: destination would be gone when this command ends; it exists for tests only. Write folder:/path');
  }
  if (scheme.length === 1) {
    throw invalid(`The destination ${text} looks like a drive; for a folder on this computer write folder:${text}`);
  }
  throw invalid(`The destination kind ${scheme}: is not known; there are ${kinds}, and the names that “holdfast destination list” shows`);
}

/** The settings as text pairs, as they go into a recovery kit. */
export function settingsAsText(settings: DestinationSettings): Readonly<Record<string, string>> {
  if (settings.provider === 's3') return { provider: 's3', ...s3SettingsAsText(settings) };
  return Object.fromEntries(Object.entries(settings).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])));
}

/** Such settings in short, for people. */
export function whereOf(settings: Readonly<Record<string, string>>): string {
  const { path, bucket, prefix, folder, endpoint, region } = settings;
  return [path ?? folder ?? [bucket, prefix].filter((part) => part !== undefined).join('/'), endpoint ?? region]
    .filter((part) => part !== undefined)
    .join(' at ');
}

/** What is dangerous about settings that work; empty when nothing is. */
export function dangerOf(settings: DestinationSettings): string {
  if (settings.provider !== 's3' || !isPlainBeyondLoopback(settings)) return '';
  return `${settings.endpoint ?? ''} is not encrypted: what is stored is sealed, but others on the way can read its names and forge answers. Use https`;
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
  return { provider: 'folder', path: fromHere(cwd, rest) };
}

/** Backblaze: names of buckets have 6 to 63 letters, digits and dashes. */
function b2(rest: string): DestinationSettings {
  const [bucket = '', ...folders] = rest.replace(/^\/\//, '').split('/');
  if (rest.includes('?') || rest.includes('@')) {
    throw invalid('The destination b2: takes bucket and prefix only; keys come from B2_APPLICATION_KEY_ID and B2_APPLICATION_KEY');
  }
  if (!/^[A-Za-z0-9-]{6,63}$/.test(bucket)) throw invalid('The destination b2: names no bucket; write b2:bucket/prefix');
  const prefix = folders.join('/').replace(/\/+$/, '');
  if (prefix !== '' && (!isKey(prefix) || prefix.length > 400)) {
    throw invalid(`The prefix ${JSON.stringify(prefix)} cannot be used: printable ASCII, parts joined by one /, at most 400 characters`);
  }
  return { provider: 'backblaze-b2', bucket, ...(prefix === '' ? {} : { prefix }) };
}

/** Names joined by `/`, as people write them; any letters but control characters. */
function cloudFolder(scheme: string, rest: string): string {
  const names = rest.split('/').filter((name) => name !== '');
  if (names.length === 0) throw invalid(`The destination ${scheme}: names no folder; write ${scheme}:backups`);
  // eslint-disable-next-line no-control-regex -- control characters are what is refused
  if (names.some((name) => name === '.' || name === '..' || /[\u0000-\u001f\u007f\\]/.test(name)) || rest.length > 1000) {
    throw invalid(`${JSON.stringify(rest)} cannot be a folder of ${scheme}:`);
  }
  return names.join('/');
}

function invalid(message: string): Fault {
  return new Fault('config-invalid', message, { operation });
}
