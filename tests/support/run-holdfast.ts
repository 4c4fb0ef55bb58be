import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { holdfast } from './run-cli.ts';

export interface HoldfastRun {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The JSON document on standard output; undefined when there is none. */
  readonly value: unknown;
}

export interface HoldfastOptions {
  /** Runs as this user and group, without any other. */
  readonly uid?: number;
  /** Put in front of the command: a tracer. */
  readonly under?: readonly string[];
  readonly onStart?: (child: ChildProcess) => void;
}

export const isRoot = process.geteuid?.() === 0;
/** Somebody without any power. */
export const nobody = 65_534;
export const password = 'correct horse battery';

/** A folder for one test file, with a state folder, a destination and the real command. */
export class Workshop {
  readonly base: string;
  readonly place: string;
  readonly state: string;

  constructor(name: string) {
    this.base = mkdtempSync(join(tmpdir(), `holdfast-${name}-`));
    this.place = join(this.base, 'place');
    this.state = join(this.base, 'state');
    mkdirSync(this.place);
    mkdirSync(this.state, { mode: 0o700 });
    afterAll(() => {
      // rm walks by open folders: no path is too long for it. Folders that may not be entered are opened up first.
      if (!isRoot) execFileSync('chmod', ['-R', 'u+rwx', this.base]);
      execFileSync('rm', ['-rf', this.base]);
    });
  }

  path(...names: string[]): string {
    return join(this.base, ...names);
  }

  /** Gives all that lies there to somebody, and lets them in. */
  giveTo(uid: number, ...paths: readonly string[]): void {
    chmodSync(this.base, 0o755);
    for (const path of [...paths, this.state]) execFileSync('chown', ['-hR', `${uid}:${uid}`, path]);
  }

  /** Runs the command with `--json`, in a process of its own. */
  run(args: readonly string[], options: HoldfastOptions = {}): Promise<HoldfastRun> {
    const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('HOLDFAST_')));
    const words = [...(options.under ?? []), process.execPath, holdfast, ...args, '--json'];
    return new Promise((settle, fail) => {
      const child = spawn('/usr/bin/env', words, {
        env: { ...inherited, NO_COLOR: '1', HOLDFAST_STATE_DIR: this.state, HOLDFAST_PASSWORD: password },
        cwd: this.base,
        ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const out: Uint8Array[] = [];
      const err: Uint8Array[] = [];
      child.stdout.on('data', (piece: Uint8Array) => out.push(piece));
      child.stderr.on('data', (piece: Uint8Array) => err.push(piece));
      child.on('error', fail);
      child.on('close', (code, signal) => {
        const stdout = Buffer.concat(out).toString('utf8');
        settle({ code, signal, stdout, stderr: Buffer.concat(err).toString('utf8'), value: parsed(stdout) });
      });
      options.onStart?.(child);
    });
  }

  backup(source: string, args: readonly string[] = [], options: HoldfastOptions = {}): Promise<HoldfastRun> {
    return this.run(['backup', source, '-d', `folder:${this.place}`, ...args], options);
  }

  restore(target: string, args: readonly string[] = [], options: HoldfastOptions = {}, snapshot = 'latest'): Promise<HoldfastRun> {
    return this.run(['restore', snapshot, '-d', `folder:${this.place}`, '--target', target, ...args], options);
  }

  verify(args: readonly string[] = ['all']): Promise<HoldfastRun> {
    return this.run(['verify', ...args, '-d', `folder:${this.place}`]);
  }

  /** Names of the stored objects of one server. */
  objects(server: string): readonly string[] {
    const folder = join(this.place, server);
    return existsSync(folder) ? readdirSync(folder).sort() : [];
  }

  /** What begun and unfinished uploads have left. */
  unfinished(): readonly string[] {
    const folder = join(this.place, '.holdfast-uploads');
    return existsSync(folder) ? readdirSync(folder) : [];
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
