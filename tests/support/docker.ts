import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('docker-boot.sh', import.meta.url));
/** Unpacked by the test command; never installed, as a daemon would be started with the machine then. */
const unpacked = fileURLToPath(new URL('../../.cache/docker', import.meta.url));

/** Why no Docker can be run here; empty when one can. */
export const dockerMissing = ((): string => {
  if (process.geteuid?.() !== 0) return 'not run as root';
  if (!existsSync(join(unpacked, 'usr/sbin/dockerd'))) return 'no Docker: run npm test as root on Debian once';
  const libraries = spawnSync(join(unpacked, 'usr/sbin/dockerd'), ['--version'], { stdio: 'ignore' });
  if (libraries.status !== 0) return 'a library that Docker needs is not here';
  const trial = 'mount -t proc proc /proc && mount -t tmpfs tmpfs /run';
  const run = spawnSync('unshare', ['--mount', '--pid', '--ipc', '--uts', '--net', '--fork', 'sh', '-c', trial], { stdio: 'ignore' });
  return run.status === 0 ? '' : 'no namespaces of its own';
})();

/** A real Docker daemon with one image, `busybox`, made of a single static program. Nothing of it outlives `end` or this process. */
export class Docker {
  readonly base: string;
  private readonly child: ChildProcess;
  private readonly closed: Promise<void>;
  private ended = false;

  private constructor() {
    this.base = mkdtempSync(join(tmpdir(), 'holdfast-docker-'));
    this.child = spawn('sh', [script, unpacked, this.base], { stdio: ['pipe', 'ignore', 'inherit'], detached: true });
    this.closed = new Promise((settle) => {
      this.child.once('close', () => {
        this.ended = true;
        settle();
      });
    });
  }

  static async boot(): Promise<Docker> {
    const docker = new Docker();
    // There is no event for it: its own client is what knows how to ask.
    while (!docker.answers()) {
      if (docker.ended) throw new Error('the Docker daemon ended');
      await new Promise((go) => setTimeout(go, 100));
    }
    const image = join(docker.base, 'image');
    mkdirSync(join(image, 'bin'), { recursive: true });
    copyFileSync(join(unpacked, 'bin/busybox'), join(image, 'bin/busybox'));
    symlinkSync('busybox', join(image, 'bin/sh'));
    spawnSync('tar', ['-C', image, '-cf', `${image}.tar`, '.']);
    docker.run(['import', `${image}.tar`, 'busybox']);
    return docker;
  }

  /** What its client needs to find it. */
  get env(): Readonly<Record<string, string>> {
    return {
      PATH: `${join(unpacked, 'usr/bin')}:${process.env['PATH'] ?? ''}`,
      DOCKER_HOST: `unix://${this.base}/docker.sock`,
      DOCKER_CONFIG: this.base,
    };
  }

  /** What `docker ARGS` prints; it must succeed. */
  run(args: readonly string[]): string {
    const { status, stdout, stderr } = spawnSync('docker', args, { env: { ...process.env, ...this.env }, encoding: 'utf8' });
    if (status === 0) return stdout.trim();
    throw new Error(
      `docker ${args.join(' ')} ended with ${String(status)}:\n${stderr}\n${readFileSync(join(this.base, 'log'), 'utf8').slice(-2000)}`,
    );
  }

  /** Settles once the daemon tells of an event of this container that comes after this call. */
  async event(container: string, event: string): Promise<void> {
    const since = (Date.now() / 1000).toFixed(3);
    const filters = ['--filter', `container=${container}`, '--filter', `event=${event}`];
    const child = spawn('docker', ['events', '--since', since, ...filters], {
      env: { ...process.env, ...this.env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise<void>((settle, reject) => {
      child.once('error', reject).once('close', () => reject(new Error(`no event ${event} of ${container}`)));
      child.stdout.once('data', () => settle());
    });
    child.removeAllListeners('close').kill();
  }

  async end(): Promise<void> {
    this.child.stdin?.end();
    await this.closed;
  }

  private answers(): boolean {
    return spawnSync('docker', ['info'], { env: { ...process.env, ...this.env }, stdio: 'ignore' }).status === 0;
  }
}
