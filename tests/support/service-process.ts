import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, onTestFinished } from 'vitest';
import type { ServiceEvent } from '../../main/contract/events.ts';
import { serviceEvents } from '../../main/compose/service/http-client.ts';
import { holdfast, runCli, runSeveral, type CliRun } from './run-cli.ts';

export const testPassword = 'correct horse battery';

export interface RunningService {
  readonly child: ChildProcess;
  readonly port: number;
  readonly token: string;
  /** Everything it has printed so far. */
  readonly printed: () => string;
  /** Sends the signal and settles to how it ended. */
  stop(signal?: NodeJS.Signals): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null; readonly ms: number }>;
}

/** A computer of its own as far as Holdfast can see: configuration, state, a folder to back up and one to back up to, and real processes. */
export class ServiceHome {
  readonly base = mkdtempSync(join(tmpdir(), 'holdfast-service-'));
  readonly config = join(this.base, 'config');
  readonly state = join(this.base, 'state');
  readonly folder = join(this.base, 'srv');
  readonly place = join(this.base, 'place');
  private readonly children: ChildProcess[] = [];

  constructor() {
    mkdirSync(this.folder);
    mkdirSync(this.place);
    const end = (): void => {
      for (const child of this.children) child.kill('SIGKILL');
      rmSync(this.base, { recursive: true, force: true, maxRetries: 5 });
    };
    // Within a test, what is registered for the end of the file is never called.
    if (expect.getState().currentTestName === undefined) afterAll(end);
    else onTestFinished(end);
  }

  get env(): Readonly<Record<string, string>> {
    return { HOLDFAST_CONFIG_DIR: this.config, HOLDFAST_STATE_DIR: this.state, HOLDFAST_PASSWORD: testPassword, HOME: this.base };
  }

  /** Null takes a variable away. */
  run(args: readonly string[], env: Readonly<Record<string, string | null>> = {}): Promise<CliRun> {
    const all = Object.entries({ ...this.env, ...env }).flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]));
    return runCli(args, { env: Object.fromEntries(all), cwd: this.base });
  }

  /** Runs with --json and gives the document; a run that failed fails the test with what it printed. */
  async json(args: readonly string[], env: Readonly<Record<string, string | null>> = {}): Promise<unknown> {
    const run = await this.run([...args, '--json'], env);
    if (run.code !== 0) throw new Error(`holdfast ${args.join(' ')} ended with ${String(run.code)}:\n${run.stdout}${run.stderr}`);
    return JSON.parse(run.stdout);
  }

  /** The key file opens by itself, there is one place and one server, `survival`, without a schedule unless told, and nothing follows its backups. */
  async setUp(server: readonly string[] = []): Promise<void> {
    const commands = [
      ['keychain', 'use', 'machine-key', '--yes'],
      ['destination', 'add', 'nas', `folder:${this.place}`, '--no-test'],
      ['server', 'add', 'Survival', this.folder, '--to', 'nas', '--verify', 'never', '--drill', 'never', ...server],
    ];
    const run = await runSeveral(commands, { env: this.env, cwd: this.base });
    if (run.code !== 0) throw new Error(`the computer could not be set up:\n${run.stdout}${run.stderr}`);
  }

  /** Ends a process with the tests, should they leave it running. */
  ends(child: ChildProcess): void {
    this.children.push(child);
  }

  /** The folder of the service below the state folder. */
  own(): string {
    const name = readdirSync(this.state).find((entry) => entry.startsWith('service-'));
    if (name === undefined) throw new Error('no service has run here yet');
    return join(this.state, name);
  }

  /** Starts the service and settles once it says where it listens. */
  async start(env: Readonly<Record<string, string>> = {}): Promise<RunningService> {
    const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('HOLDFAST_')));
    const child = spawn(process.execPath, [holdfast, 'service'], {
      env: { ...inherited, NO_COLOR: '1', ...this.env, ...env },
      cwd: this.base,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.ends(child);
    let text = '';
    const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((settle) => {
      child.once('close', (code, signal) => settle({ code, signal }));
    });
    const port = await new Promise<number>((settle, reject) => {
      const look = (piece: Buffer): void => {
        text += piece.toString('utf8');
        const match = /listens on 127\.0\.0\.1:(\d+)/.exec(text);
        if (match !== null) settle(Number(match[1]));
      };
      child.stderr.on('data', look);
      child.stdout.on('data', look);
      void exited.then(({ code }) => reject(new Error(`the service ended with ${String(code)}:\n${text}`)));
    });
    return {
      child,
      port,
      token: readFileSync(join(this.own(), 'token'), 'utf8').trim(),
      printed: () => text,
      async stop(signal = 'SIGTERM') {
        const since = performance.now();
        child.kill(signal);
        return { ...(await exited), ms: performance.now() - since };
      },
    };
  }
}

/** Does something once the service is listened to, and settles to the first event's part that `pick` takes (not null). */
export async function eventAfter<T>(service: RunningService, act: () => unknown, pick: (event: ServiceEvent) => T | null): Promise<T> {
  const end = new AbortController();
  const opened = Promise.withResolvers<void>();
  const found = (async () => {
    for await (const event of serviceEvents(service, end.signal, opened.resolve)) {
      const picked = pick(event);
      if (picked !== null) return picked;
    }
    throw new Error('the stream ended');
  })();
  await opened.promise;
  await act();
  return await found.finally(() => end.abort());
}

/** Paths of all files in a folder and below. */
export function filesIn(folder: string): readonly string[] {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
