import { Fault } from '../../contract/faults.ts';

/**
 * A file name or path as the file system has it: bytes, held in a string with one character (U+0000 to U+00FF) for each byte.
 * Names on Linux need not be UTF-8; a string of bytes loses nothing, compares in byte order and costs less than a Buffer.
 */
export type BytePath = string & { readonly bytePath: unique symbol };

export function pathFromBytes(bytes: Uint8Array): BytePath {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1') as BytePath;
}

export function pathFromText(text: string): BytePath {
  return (isAscii(text) ? text : Buffer.from(text, 'utf8').toString('latin1')) as BytePath;
}

/** Only for strings known to hold one character for each byte, such as names read from the file system as latin1. */
export function asBytePath(latin1: string): BytePath {
  return latin1 as BytePath;
}

export function pathBytes(path: BytePath): Buffer {
  return Buffer.from(path, 'latin1');
}

export function joinPath(folder: BytePath, name: BytePath): BytePath {
  return (folder === rootPath ? name : `${folder}/${name}`) as BytePath;
}

/** The server's folder itself. */
export const rootPath = '.' as BytePath;

/** The path of an entry, however a person has typed it: `./world/`, `/world`. */
export function plainPath(text: string): BytePath {
  return pathFromText(text.replace(/^(\.?\/)+|\/+$/g, '') || rootPath);
}

export function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) if (text.charCodeAt(index) > 0x7f) return false;
  return true;
}

/** The path as text, or null when its bytes are no UTF-8. */
export function pathText(path: BytePath): string | null {
  if (isAscii(path)) return path;
  const bytes = pathBytes(path);
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? text : null;
}

/** The path for people: bytes that are no UTF-8 appear as `\xNN`. Control characters are left to whoever prints it. */
export function showPath(path: BytePath): string {
  const text = pathText(path);
  if (text !== null) return text;
  return path.replace(/[\x80-\xff]/g, (character) => `\\x${character.charCodeAt(0).toString(16)}`);
}

/**
 * Refuses every path that could lead out of the folder it is joined to: absolute, empty parts, `.`, `..`, NUL.
 * A backslash and a colon are ordinary characters here; on Windows they are refused, and so is whatever else is no name there. An honest snapshot may
 * well hold such a name: it is not damaged, it only cannot come back there.
 */
export function checkInnerPath(path: BytePath, platform: 'posix' | 'windows' = 'posix'): void {
  if (path === rootPath) return;
  const about = () => ({ operation: 'check path', context: { path: showPath(path) } });
  const refuse = (why: string): Fault => new Fault('corrupt', `the snapshot names a path that must not be written (${why})`, about());
  if (path.length === 0) throw refuse('empty');
  if (path.includes('\0')) throw refuse('NUL');
  for (const part of path.split('/')) {
    if (part === '') throw refuse('absolute or empty part');
    if (part === '.' || part === '..') throw refuse(part);
    if (platform === 'windows' && (windowsForbidden.test(part) || windowsDevice.test(part)))
      throw new Fault('unsupported', `${showPath(path)} cannot be written on Windows: it has no such names`, about());
  }
}

/** What no name there may hold, and what is cut off its end without a word, so that it would be another name. */
// eslint-disable-next-line no-control-regex -- control characters are among what is refused
const windowsForbidden = /[\x01-\x1f\\:*?"<>|]|[. ]$/;
/** With any ending they mean the device all the same. The digits may be raised (¹²³), here as the two bytes they are. */
const windowsDevice = /^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)([0-9]|\xc2[\xb9\xb2\xb3])) *(\.|$)/i;
