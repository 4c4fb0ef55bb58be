import { badRequest } from './refusal.ts';

/** B2: "Files", rules for names; a backslash has been allowed since May 2020. */
export function checkName(name: string): void {
  const bytes = Buffer.byteLength(name);
  if (bytes < 1) throw badRequest('File names must contain at least one character');
  if (bytes > 1024) throw badRequest('File names must be no more than 1024 bytes');
  if (!/^[^\p{Cc}]*$/u.test(name)) throw badRequest('File names must not contain control characters');
  if (name.startsWith('/')) throw badRequest("File names must not start with '/'");
  if (name.endsWith('/')) throw badRequest("File names must not end with '/'");
  if (name.includes('//')) throw badRequest("File names must not contain '//'");
  if (name.split('/').some((part) => Buffer.byteLength(part) > 250)) throw badRequest('File name segments must be no more than 250 bytes');
}

/** B2: "String encoding". Throws for what is not percent-encoded UTF-8. */
export function decodeName(text: string): string {
  if (!/^(?:[A-Za-z0-9._\-/~!$'()*;=:@+]|%[0-9A-Fa-f]{2})*$/.test(text))
    throw badRequest(`Bad character in percent-encoded string: ${text}`);
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw badRequest(`Not valid UTF-8: ${text}`);
  }
}

/** As B2 writes names into headers. */
export function encodeName(name: string): string {
  return name.split('/').map(encodeURIComponent).join('/');
}

/** Up to ten infos of a file, as headers or as JSON. */
export function checkInfo(info: Readonly<Record<string, string>>): void {
  const names = Object.keys(info);
  if (names.length > 10) throw badRequest('Too many file infos');
  for (const name of names) if (!/^[A-Za-z0-9_.`~!#$%^&*'|+-]{1,50}$/.test(name)) throw badRequest(`Invalid file info name: ${name}`);
  if (Buffer.byteLength(JSON.stringify(info)) > 7000) throw badRequest('File infos are too long');
}
