import type { ServerSettings } from './server-settings.ts';

/** Under which names the keychain keeps secrets: `destination/<name>/<secret>`, `server/<slug>/<secret>`, `notice/<name>/<secret>`. */
export function destinationSecret(destination: string, secret: string): string {
  return `destination/${destination}/${secret}`;
}

/** What opens the vault of a destination. */
export function destinationPassword(destination: string): string {
  return destinationSecret(destination, 'password');
}

export function rconPasswordOf(slug: string): string {
  return `server/${slug}/rconPassword`;
}

/** The one that a console had when it was brought to rest, where another has taken its place before it went on. Null: what is at rest has no console. */
export function formerPasswordOf({ slug, quiesce }: Pick<ServerSettings, 'slug' | 'quiesce'>): string | null {
  if (quiesce.kind !== 'minecraft' && quiesce.kind !== 'rcon') return null;
  return `${formerPasswords(slug)}${quiesce.rcon.host}:${quiesce.rcon.port}`;
}

/** Such a one belongs to this computer, and to the hold on that console. */
export function isFormerPassword(name: string): boolean {
  const [kind, slug] = name.split('/');
  return kind === 'server' && slug !== undefined && name.startsWith(formerPasswords(slug));
}

const formerPasswords = (slug: string): string => `server/${slug}/formerPassword/`;

export function noticeSecret(notice: string, secret: string): string {
  return `notice/${notice}/${secret}`;
}
