import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { holdfast, type CliRun } from './run-cli.ts';

const script = fileURLToPath(new URL('systemd-boot.sh', import.meta.url));

/** An ordinary user of that system. */
const playerId = 61_999;
export const playerRuntime = `/run/user/${playerId}`;
type User = 'root' | 'player';

/** Why no systemd can be booted here; empty when one can. */
export const systemdMissing = whySystemdIsMissing();

function whySystemdIsMissing(): string {
  if (process.geteuid?.() !== 0) return 'not run as root';
  if (!existsSync('/lib/systemd/systemd')) return 'no systemd: run npm test as root on Debian once';
  // All that booting does and that a container may forbid.
  const trial =
    'mount -t tmpfs tmpfs /run && mount -t proc proc /proc && mkdir /run/g && mount -t cgroup2 g /run/g && mkdir /run/g/$1 && rmdir /run/g/$1';
  const unshare = ['--mount', '--pid', '--cgroup', '--ipc', '--uts', '--net', '--fork', '--kill-child'];
  const run = spawnSync('unshare', [...unshare, 'sh', '-c', trial, '-', `holdfast-trial-${process.pid}`], { stdio: 'ignore' });
  return run.status === 0 ? '' : 'no namespaces with a cgroup2 of their own';
}

/** Why it has no users with units of their own; empty when it has. */
export const systemdUsersMissing = ((): string => {
  if (systemdMissing !== '') return systemdMissing;
  const needed = ['/lib/systemd/systemd-logind', '/usr/bin/dbus-daemon'];
  const pam = ['/etc/pam.d/systemd-user', '/usr/lib/pam.d/systemd-user'];
  if (!needed.every((path) => existsSync(path)) || !pam.some((path) => existsSync(path))) return 'no libpam-systemd, or no dbus';
  const reads = spawnSync(process.execPath, ['--version'], { uid: playerId, gid: playerId, stdio: 'ignore' });
  return reads.status === 0 ? '' : 'this folder may be read by root alone';
})();

/** A systemd as process 1 of its own namespaces, with homes and units of its own. Nothing of it outlives `end` or this process. */
export class Systemd {
  readonly base: string;
  private readonly child: ChildProcess;
  private readonly closed: Promise<void>;
  private printed = '';
  private ended = false;
  private pid = 0;

  private constructor() {
    this.base = mkdtempSync(join(tmpdir(), 'holdfast-systemd-'));
    chmodSync(this.base, 0o755);
    for (const user of ['root', 'player'] as const) mkdirSync(this.home(user), { mode: 0o700 });
    chownSync(this.home('player'), playerId, playerId);
    const root = new RegExp('^root:.*$', 'm');
    const users = readFileSync('/etc/passwd', 'utf8').replace(root, () => `root:*:0:0::${this.home('root')}:/bin/sh`);
    writeFileSync(join(this.base, 'passwd'), `${users}player:*:${playerId}:${playerId}::${this.home('player')}:/bin/sh\n`);
    writeFileSync(join(this.base, 'group'), `${readFileSync('/etc/group', 'utf8')}player:*:${playerId}:\n`);
    writeFileSync(join(this.base, 'machine-id'), `${'0123456789abcdef'.repeat(2)}\n`);
    // A group of processes of its own: the script ends those that are left over. It ends when this pipe does.
    this.child = spawn('sh', [script, this.base], { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    this.closed = new Promise((settle) => {
      this.child.once('close', () => {
        this.ended = true;
        settle();
      });
    });
  }

  static async boot(): Promise<Systemd> {
    const systemd = new Systemd();
    await new Promise<void>((settle, reject) => {
      const look = (piece: Buffer): void => {
        systemd.printed += piece.toString('utf8');
        systemd.pid = Number(/^pid (\d+)$/m.exec(systemd.printed)?.[1] ?? 0);
        if (/^booted$/m.test(systemd.printed)) settle();
      };
      systemd.child.stdout?.on('data', look);
      systemd.child.stderr?.on('data', look);
      void systemd.closed.then(() => reject(new Error(`systemd did not boot:\n${systemd.printed}`)));
    });
    return systemd;
  }

  async end(): Promise<void> {
    this.child.stdin?.end();
    await this.closed;
  }

  home(user: User): string {
    return join(this.base, user);
  }

  /** Where its file of this name lies, seen from outside: some of its folders are its own. */
  path(name: string): string {
    return join(`/proc/${this.pid}/root`, name);
  }

  /** Runs a program in there as su does: as this user, without a session. */
  run(user: User, argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliRun> {
    if (this.ended) return Promise.reject(new Error(`systemd has ended, so nothing can be run in there:\n${this.printed}`));
    const id = user === 'root' ? 0 : playerId;
    const own = {
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
      NO_COLOR: '1',
      HOME: this.home(user),
      USER: user,
      // Ours lies where only root may write.
      ...(user === 'root' ? {} : { NODE_COMPILE_CACHE: join(this.home(user), 'compile') }),
      ...env,
    };
    const variables = Object.entries(own).map(([name, value]) => `${name}=${value}`);
    const enter = [`--target=${this.pid}`, '--all', `--setuid=${id}`, `--setgid=${id}`, '--', 'env', '-i', ...variables];
    return new Promise((settle, reject) => {
      const child = spawn('nsenter', [...enter, ...argv], { stdio: ['ignore', 'pipe', 'pipe'] });
      let [stdout, stderr] = ['', ''];
      child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
      child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
      child.once('error', reject).once('close', (code, signal) => settle({ code, signal, stdout, stderr }));
    });
  }

  /** Lets this user's systemd run without a session, from now on. */
  async linger(): Promise<void> {
    await this.output('root', ['loginctl', 'enable-linger', 'player']);
    await this.output('root', ['systemctl', 'start', `user@${playerId}.service`]);
  }

  /** What a program prints that must succeed. */
  async output(user: User, argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
    const run = await this.run(user, argv, env);
    if (run.code === 0) return run.stdout.trim();
    const { stdout } = await this.run('root', ['journalctl', '--no-pager', '--lines=40']);
    throw new Error(`${argv.join(' ')} ended with ${String(run.code)}:\n${run.stdout}${run.stderr}\nIts journal:\n${stdout}`);
  }

  /** What its journal has of a unit of the system so far, all that was said before included. */
  async journal(unit: string): Promise<string> {
    return await this.output('root', ['sh', '-c', `journalctl --sync && journalctl --no-pager --output=cat --unit=${unit}`]);
  }

  /** Settles once the journal of a unit of the system has a text for the so many-th time. */
  async logged(unit: string, text: string, times: number): Promise<void> {
    const follow = ['journalctl', '--follow', '--no-tail', '--output=cat', `--unit=${unit}`];
    const child = spawn('nsenter', [`--target=${this.pid}`, '--all', '--', ...follow], { stdio: ['ignore', 'pipe', 'inherit'] });
    let all = '';
    await new Promise<void>((settle, reject) => {
      child.once('error', reject).once('close', () => reject(new Error(`${unit} has not logged “${text}” ${times} times:\n${all}`)));
      child.stdout.setEncoding('utf8').on('data', (piece: string) => {
        all += piece;
        if (all.split(text).length > times) settle();
      });
    });
    child.kill();
    child.stdout.destroy();
  }

  /** A property of a unit of the system. */
  async property(unit: string, name: string): Promise<string> {
    return await this.output('root', ['systemctl', 'show', `--property=${name}`, '--value', unit]);
  }

  holdfast(user: User, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliRun> {
    return this.run(user, [process.execPath, holdfast, ...args], env);
  }

  /** The document that the command prints, which must succeed. */
  async json(user: User, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<unknown> {
    return JSON.parse(await this.output(user, [process.execPath, holdfast, ...args, '--json'], env));
  }
}

/** A reason behind the name of what is skipped. */
export function why(missing: string): string {
  return missing === '' ? '' : ` (${missing})`;
}
