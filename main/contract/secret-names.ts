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

export function noticeSecret(notice: string, secret: string): string {
  return `notice/${notice}/${secret}`;
}
