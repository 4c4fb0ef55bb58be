import { execFile } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { openedForWriting } from '../support/pipes.ts';
import { holdfast, runCli } from '../support/run-cli.ts';
import { tempFolder } from '../support/temp-folder.ts';

const shell = promisify(execFile);
const command = `'${process.execPath}' '${holdfast}'`;

/** A file to open, and a pipe to read its password from, into which nobody ever writes: no abort reaches who reads from it. */
async function neverRead(): Promise<{ readonly file: string; readonly pipe: string }> {
  const folder = tempFolder();
  const pipe = join(folder, 'pipe');
  await shell('mkfifo', [pipe]);
  const file = join(folder, 'id.holdfast');
  writeFileSync(file, 'sealed');
  return { file, pipe };
}

describe('the command as a process', () => {
  it('prints its version and its help', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
    expect(await runCli(['--version'])).toEqual({ code: 0, signal: null, stdout: `${version}\n`, stderr: '' });
    expect((await runCli(['help', 'exit-codes'])).stdout).toMatch(/130 {2}cancelled/);
  });

  it('is found by npx inside the repository', async () => {
    const root = fileURLToPath(new URL('../..', import.meta.url));
    const { stdout } = await shell('npx', ['--offline', '--no', 'holdfast', 'help', 'exit-codes'], { cwd: root });
    expect(stdout).toMatch(/130 {2}cancelled/);
  });

  it('ends with 2 for a wrong command line, and answers in JSON when asked to', async () => {
    const { code, stdout, stderr } = await runCli(['backup', '--json']);
    expect(code).toBe(2);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, fault: { code: 'config-invalid' } });
  });

  it('is quiet when its reader goes away', async () => {
    const times = join(tempFolder(), 'times');
    writeFileSync(times, '2026-11-23T22:05:00Z\n'.repeat(50_000));
    const script = `${command} retention simulate --keep-last 50000 < '${times}' | head -n 1; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = await shell('bash', ['-c', script]);
    expect(stdout.trimEnd().split('\n')).toEqual([expect.stringMatching(/^keep /), '0']);
    expect(stderr).not.toMatch(/EPIPE|Error/);
  });

  it('says when the disk behind its output is full', async () => {
    const { stdout } = await shell('bash', ['-c', `${command} help passwords 2>&1 > /dev/full; echo "$?"`]);
    expect(stdout).toMatch(/no space left/);
    expect(stdout).toMatch(/\n1\n$/);
  });

  it('refuses an argument that is no UTF-8 instead of taking another file', async () => {
    const folder = tempFolder();
    const { stdout } = await shell('bash', ['-c', `cd '${folder}' && ${command} open $'caf\\xe9' -o out 2>&1; echo "$?"`]);
    expect(stdout).toMatch(/Argument 2 is not valid UTF-8/);
    expect(stdout).toMatch(/\n2\n$/);
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s while it waits for input ends it with 130', async (signal) => {
    const run = await runCli(['retention', 'simulate', '--keep-last', '1'], {
      whileRunning: (child) => {
        // More than a pipe holds: once all of it is taken, the command runs and reads.
        child.stdin?.write('# a remark\n'.repeat(50_000), () => child.kill(signal));
      },
    });
    expect({ code: run.code, signal: run.signal, stdout: run.stdout }).toEqual({ code: 130, signal: null, stdout: '' });
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('%s while its modules are loaded ends it with 130, and with the one document', async (signal) => {
    const hooks = new URL('../support/stop-while-loading.mjs', import.meta.url).href;
    const env = { NODE_OPTIONS: `--import=${hooks}`, STOP_BY: signal, STOP_AT: 'main/headless/compose.ts' };
    const run = await runCli(['retention', 'simulate', '--keep-last', '1', '--json'], { env });
    expect({ code: run.code, signal: run.signal }).toEqual({ code: 130, signal: null });
    expect(JSON.parse(run.stdout)).toMatchObject({ ok: false, fault: { code: 'cancelled' } });
  });

  it('a second Ctrl-C ends at once what the first could not stop', async () => {
    const { file, pipe } = await neverRead();
    const writers: number[] = [];
    const run = await runCli(['open', file, '--password-file', pipe], {
      whileRunning: (child) => {
        const press = setInterval(() => {
          // Opening for writing works from the moment at which the command has opened it for reading.
          if (writers.length === 0) writers.push(...openedForWriting(pipe));
          else child.kill('SIGINT');
        }, 20);
        child.on('close', () => clearInterval(press));
      },
    });
    for (const writer of writers) closeSync(writer);
    // What a shell calls 130.
    expect({ code: run.code, signal: run.signal }).toEqual({ code: null, signal: 'SIGINT' });
    expect(run.stderr).toMatch(/Stopping, and cleaning up/);
  });

  it('a Ctrl-C that the launcher passes on, however late, does not count as a second one', async () => {
    const { file, pipe } = await neverRead();
    const writers: number[] = [];
    const alive: boolean[] = [];
    const run = await runCli(['open', file, '--password-file', pipe], {
      whileRunning: (child) => {
        const begin = setInterval(() => {
          writers.push(...openedForWriting(pipe));
          if (writers.length === 0) return;
          clearInterval(begin);
          child.kill('SIGINT');
        }, 20);
        child.stderr?.once('data', () => {
          // Longer than one press of two: what was wrong ended it here.
          setTimeout(() => child.kill('SIGUSR2'), 300);
          setTimeout(() => alive.push(child.kill('SIGINT')), 900);
        });
      },
    });
    for (const writer of writers) closeSync(writer);
    expect(alive).toEqual([true]);
    expect({ code: run.code, signal: run.signal }).toEqual({ code: null, signal: 'SIGINT' });
  });

  it('writes the bench report when asked to', async () => {
    const folder = tempFolder();
    const report = join(folder, 'report.json');
    expect((await runCli(['test', `folder:${folder}/place`], { env: { HOLDFAST_BENCH_REPORT: report } })).code).toBe(0);
    const measured = JSON.parse(readFileSync(report, 'utf8')) as Record<string, number>;
    expect(Object.keys(measured)).toEqual(['maxStallMs', 'peakRssBytes', 'backendReads', 'backendBytes', 'backendWrites']);
    expect(measured['peakRssBytes']).toBeGreaterThan(20 * 1024 * 1024);
    expect(measured['backendReads']).toBeGreaterThan(0);
    expect(measured['backendBytes']).toBeGreaterThan(100_000);
    expect(measured['backendWrites']).toBeGreaterThan(0);
    const unwritable = await runCli(['--version'], { env: { HOLDFAST_BENCH_REPORT: folder } });
    expect(unwritable.code).toBe(0);
    expect(unwritable.stderr).toMatch(/bench report was not written/);
  });

  it('tells its own memory there, and not that of whoever started it', async () => {
    const large = Buffer.alloc(500 * 2 ** 20, 'pages');
    const report = join(tempFolder(), 'report.json');
    await runCli(['--version'], { env: { HOLDFAST_BENCH_REPORT: report } });
    const { peakRssBytes } = JSON.parse(readFileSync(report, 'utf8')) as { readonly peakRssBytes: number };
    expect(peakRssBytes).toBeLessThan(large.byteLength);
  });

  it('reads times from standard input and decides', async () => {
    const run = await runCli(['retention', 'simulate', '--keep-daily', '1', '--json'], { stdin: '2026-11-20T10:00Z\n2026-11-20T12:00Z\n' });
    expect(run.code).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({ keep: [{ id: 'line 2' }], remove: [{ id: 'line 1' }] });
  });

  it('does not stop when it is started with closed streams', async () => {
    const { stdout } = await shell('bash', ['-c', `${command} --version <&- 2>&-; echo "$?"`]);
    expect(stdout).toMatch(/\n0\n$/);
  });
});

describe('holdfast test', () => {
  it('finds nothing wrong with an empty folder and leaves nothing there', async () => {
    const folder = tempFolder();
    const { code, stdout } = await runCli(['test', `folder:${folder}`]);
    expect(code).toBe(0);
    expect(stdout.match(/^✓ /gm)?.length).toBeGreaterThan(4);
    expect(stdout).not.toContain('✗');
    // The empty folder for unfinished uploads belongs to every folder destination.
    expect(readdirSync(folder, { recursive: true }).filter((entry) => entry !== '.holdfast-uploads')).toEqual([]);
  });

  it('shows a cross and a next step where nothing can be written', async () => {
    const folder = tempFolder();
    closeSync(openSync(join(folder, 'file'), 'w'));
    const text = await runCli(['test', `folder:${folder}/file`]);
    expect(text.code).toBe(1);
    expect(text.stdout).toMatch(/✗ .*\n {2}Next: ./);
    const json = await runCli(['test', `folder:${folder}/file`, '--json']);
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout)).toContainEqual(expect.objectContaining({ ok: false }));
  });
});

describe('holdfast undo without a restore', () => {
  it('says that nothing is kept', async () => {
    const folder = join(tempFolder(), 'target');
    mkdirSync(folder);
    expect((await runCli(['undo', '--target', folder])).code).toBe(10);
    const list = await runCli(['undo', '--target', folder, '--list', '--json']);
    expect({ code: list.code, stdout: list.stdout }).toEqual({ code: 0, stdout: '[]\n' });
  });
});
