import { spawn, spawnSync } from 'node:child_process';

/** Why tests on a real keyring cannot run here; empty when they can. */
export const keyringMissing = ((): string => {
  const has = (command: string): boolean => spawnSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' }).status === 0;
  if (!has('dbus-run-session') || !has('gnome-keyring-daemon')) return 'no gnome-keyring: run npm test as root on Debian once';
  return spawnSync(process.execPath, ['-e', "require('keytar')"], { stdio: 'ignore' }).status === 0 ? '' : 'keytar is not built';
})();

/** A line of shell for the session: locks the keyring as a desktop does when its user asks for it. */
export const lockKeyring = [
  'busctl --user call org.freedesktop.secrets /org/freedesktop/secrets org.freedesktop.Secret.Service',
  'Lock ao 1 /org/freedesktop/secrets/aliases/default >/dev/null',
].join(' ');

export interface SessionRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a shell script in a session of its own, with the real gnome-keyring of `home`, unlocked. The session ends with it. */
export function inKeyringSession(home: string, script: string, env: Readonly<Record<string, string>> = {}): Promise<SessionRun> {
  const whole = `printf test | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1 || exit 99\n${script}`;
  return new Promise((settle, reject) => {
    const child = spawn('dbus-run-session', ['--', 'bash', '-c', whole], {
      env: { ...process.env, HOME: home, XDG_RUNTIME_DIR: home, XDG_DATA_HOME: `${home}/data`, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.once('error', reject).once('close', (code) => settle({ code, stdout, stderr }));
  });
}
