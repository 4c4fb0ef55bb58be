import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cache, root } from './run-command.ts';
import type { Row } from './table.ts';

export interface IdleService {
  /** Resident set after the start, and after a backup, in bytes. */
  readonly bytes: number;
  readonly bytesAfterBackup: number;
  /** Share of one core over the time measured, in percent. */
  readonly percent: number;
  readonly seconds: number;
}

/** A service with one server on a schedule and nothing to do, as it waits for the night. */
export async function measureIdleService(seconds: number): Promise<IdleService> {
  const base = join(cache, 'work', 'service');
  const [folder, place] = [join(base, 'srv'), join(base, 'place')];
  // Of a bench that was ended half-way.
  rmSync(base, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  mkdirSync(place, { recursive: true });
  writeFileSync(join(folder, 'level.dat'), Buffer.alloc(2 ** 20, 'blocks'));
  const program = join(root, 'bin', 'holdfast.js');
  const env = {
    ...process.env,
    HOLDFAST_CONFIG_DIR: join(base, 'config'),
    HOLDFAST_STATE_DIR: join(base, 'state'),
    HOLDFAST_PASSWORD: 'correct horse battery',
  };
  const holdfast = (...args: string[]): void => {
    const { status, stderr } = spawnSync(process.execPath, [program, ...args], { env, encoding: 'utf8' });
    if (status !== 0) throw new Error(`holdfast ${args.join(' ')}: ${stderr}`);
  };
  holdfast('keychain', 'use', 'machine-key', '--yes');
  holdfast('destination', 'add', 'nas', `folder:${place}`, '--no-test');
  holdfast('server', 'add', 'Survival', folder, '--to', 'nas', '--daily', '04:00');
  // With a history: one without looks for it in the backup place when it starts.
  holdfast('server', 'backup', 'survival');
  const start = async (): Promise<{ readonly pid: number; stop(): Promise<void> }> => {
    const child = spawn(process.execPath, [program, 'service'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    await new Promise<void>((settle) => child.stderr.on('data', (text: Buffer) => text.includes('listens') && settle()));
    const ended = new Promise<void>((settle) => child.once('close', () => settle()));
    return {
      pid: child.pid ?? 0,
      stop: async () => {
        child.kill('SIGTERM');
        await ended;
      },
    };
  };
  // The first start after an installation compiles the sources.
  await (await start()).stop();
  const service = await start();
  try {
    await sleep(10_000);
    const before = ticksOf(service.pid);
    await sleep(seconds * 1000);
    const percent = (ticksOf(service.pid) - before) / seconds;
    const bytes = residentOf(service.pid);
    holdfast('server', 'backup', 'survival', '--force');
    await sleep(10_000);
    return { bytes, percent, seconds, bytesAfterBackup: residentOf(service.pid) };
  } finally {
    await service.stop();
    rmSync(base, { recursive: true, force: true });
  }
}

/** Hundredths of a second of a core: proc(5), stat, utime and stime. */
function ticksOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

function residentOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]) * 1024;
}

export function idleRows({ bytes, bytesAfterBackup, percent, seconds }: IdleService): readonly Row[] {
  const megabytes = (value: number): string => `${(value / 1e6).toFixed(0)} MB`;
  const memory = (what: string, value: number): Row => ({
    ...{ what, ours: megabytes(value), peer: '', result: megabytes(value), goal: '≤ 90 MB', met: value <= 90e6 },
  });
  return [
    memory('service, idle: memory', bytes),
    memory('service, idle after a backup: memory', bytesAfterBackup),
    {
      what: `service, idle: share of a core over ${seconds} s`,
      ours: `${percent.toFixed(3)} %`,
      peer: '',
      result: `${percent.toFixed(3)} %`,
      goal: '≤ 0.2 %',
      met: percent <= 0.2,
    },
  ];
}
