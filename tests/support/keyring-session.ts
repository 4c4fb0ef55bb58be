import { execFile, spawn, spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

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

const password = 'test';
const unlockKeyring = `printf ${password} | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1`;

/** Runs a shell script in a session of its own, with the real gnome-keyring of `home`, unlocked. The session ends with it. */
export function inKeyringSession(home: string, script: string, env: Readonly<Record<string, string>> = {}): Promise<SessionRun> {
  const whole = `${unlockKeyring} || exit 99\n${script}`;
  return new Promise((settle, reject) => {
    const child = spawn('dbus-run-session', ['--', 'bash', '-c', whole], {
      env: { ...process.env, ...keyringOf(home), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.once('error', reject).once('close', (code) => settle({ code, stdout, stderr }));
  });
}

export interface KeyringSession {
  /** With these, a process finds the keyring. */
  readonly env: Readonly<Record<string, string>>;
  lock(): Promise<void>;
  /** As a sign-in to the desktop does. */
  unlock(): Promise<void>;
  stop(): Promise<void>;
}

/** A session that other processes join, until it is stopped or this process ends. */
export async function startKeyringSession(home: string): Promise<KeyringSession> {
  const child = spawn('dbus-run-session', ['--', 'bash', '-c', `${unlockKeyring} && echo "$DBUS_SESSION_BUS_ADDRESS" && exec cat`], {
    env: { ...process.env, ...keyringOf(home) },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const ended = new Promise<void>((settle) => child.once('close', () => settle()));
  const address = await Promise.race([
    new Promise<string>((settle) => createInterface({ input: child.stdout }).once('line', settle)),
    ended.then(() => Promise.reject(new Error('the session ended at once'))),
  ]);
  const env = { ...keyringOf(home), DBUS_SESSION_BUS_ADDRESS: address };
  const run = async (script: string): Promise<void> => {
    await promisify(execFile)('bash', ['-c', script], { env: { ...process.env, ...env } });
  };
  return {
    env,
    lock: () => run(lockKeyring),
    unlock: () => unlockOver(join(home, 'keyring', 'control')),
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
}

function keyringOf(home: string): Readonly<Record<string, string>> {
  return { HOME: home, XDG_RUNTIME_DIR: home, XDG_DATA_HOME: `${home}/data` };
}

/** As PAM does it (gnome-keyring, pam/gkr-pam-client.c): a byte for the credentials, then length, operation 1 and the password. */
async function unlockOver(path: string): Promise<void> {
  const bytes = Buffer.from(password);
  const head = Buffer.alloc(12);
  for (const [index, value] of [head.length + bytes.length, 1, bytes.length].entries()) head.writeUInt32BE(value, index * 4);
  const reply = await new Promise<Buffer>((settle, reject) => {
    const socket = connect(path, () => socket.write(Buffer.concat([Buffer.alloc(1), head, bytes])));
    socket.once('error', reject).once('data', (data: Buffer) => {
      socket.destroy();
      settle(data);
    });
  });
  if (reply.readUInt32BE(4) !== 0) throw new Error('the keyring was not unlocked');
}
