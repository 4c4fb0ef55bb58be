#!/usr/bin/env node
/**
 * The command. Plain JavaScript that every Node from 20 on parses: it hands over to the Node that this project pins, which runs the
 * TypeScript sources as they are. Works from any folder and through links, because Node resolves links in import.meta.url.
 */
import { spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const pinnedNode = join(root, 'node_modules', 'node', 'bin', 'node');
const cli = join(root, 'main', 'headless', 'cli.ts');
// With it the type stripper is not even loaded on later runs: 35 MB and 0.1 s less.
process.env.NODE_COMPILE_CACHE ??= join(root, '.cache', 'compile');

if (!existsSync(pinnedNode) || !existsSync(join(root, 'node_modules', '.holdfast-setup'))) {
  process.stderr.write(`holdfast is not set up yet. Run this once: npm --prefix '${root}' run setup\n`);
  process.exitCode = 1;
} else if (realpathSync(process.execPath) === realpathSync(pinnedNode)) {
  nodeModule.enableCompileCache(process.env.NODE_COMPILE_CACHE);
  await import(pathToFileURL(cli).href);
} else {
  handOver();
}

/** Runs the pinned Node as a child that is, for whoever started us, this process: same streams, signals, exit code. */
function handOver() {
  const args = ['--disable-warning=ExperimentalWarning', cli, ...process.argv.slice(2)];
  const child = spawn(pinnedNode, args, { stdio: 'inherit' });
  // Ctrl-C reaches a whole terminal group, so the child hears of it twice, and of ours late where this process is held up. It tells the two
  // apart by the signal that ours comes as.
  const passedOn = process.platform === 'win32' ? null : 'SIGUSR2';
  let heard = null;
  const pass = (signal) => {
    heard = signal;
    child.kill(passedOn ?? signal);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, pass);
  child.on('error', (error) => {
    process.stderr.write(`holdfast could not start ${pinnedNode}: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code, by) => {
    if (by === null) {
      process.exitCode = code;
      return;
    }
    // It had not come far enough to listen.
    const signal = by === passedOn && heard !== null ? heard : by;
    // Die of the same signal, so that a shell sees what happened; where that cannot be, leave the code that shells give.
    process.exitCode = 128 + constants.signals[signal];
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
