type Environment = Readonly<Record<string, string | undefined>>;

/** How systemctl is called: of the system's systemd, or of the one of this user. Nobody is there to be asked for a password. */
export function systemctl(user: boolean): readonly [string, ...string[]] {
  return ['systemctl', user ? '--user' : '--system', '--no-ask-password'];
}

/**
 * What it lacks to find the systemd of this user where there is no session: in a unit of the system with `User=`, under su or sudo. The folder
 * is there while that systemd runs (pam_systemd(8)).
 */
export function systemctlEnvironment(user: boolean, env: Environment = process.env): Readonly<Record<string, string>> {
  const given = env['XDG_RUNTIME_DIR'];
  if (!user || (given !== undefined && given !== '') || process.getuid === undefined) return {};
  return { XDG_RUNTIME_DIR: `/run/user/${process.getuid()}` };
}
