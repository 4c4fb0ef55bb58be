#!/usr/bin/env node
/**
 * The command. Plain JavaScript that every Node from 20 on parses: it hands over to the Node that this project pins, which runs the
 * TypeScript sources as they are. Works from any folder and through links, because Node resolves links in import.meta.url.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const pinnedNode = join(root, 'node_modules', 'node', 'bin', 'node');
const cli = join(root, 'main', 'headless', 'cli.ts');
// With it the type stripper is not even loaded on later runs: 35 MB and 0.1 s less.
const compileCache = join(root, '.cache', 'compile');

if (!existsSync(pinnedNode) || !existsSync(join(root, 'node_modules', '.holdfast-setup'))) {
  process.stderr.write(`holdfast is not set up yet. Run this once: npm --prefix '${root}' run setup\n`);
  process.exitCode = 1;
} else {
  const env = { ...process.env, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? compileCache };
  const args = ['--disable-warning=ExperimentalWarning', cli, ...process.argv.slice(2)];
  const child = spawn(pinnedNode, args, { stdio: 'inherit', env });

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      // Ctrl-C reaches the whole foreground group: passed on as well, it would arrive twice and look like an impatient second one.
      if (signal === 'SIGINT' && isTerminalForeground()) return;
      child.kill(signal);
    });
  }

  child.on('error', (error) => {
    process.stderr.write(`holdfast could not start ${pinnedNode}: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    if (signal === null) {
      process.exitCode = code;
      return;
    }
    // Die of the same signal, so that a shell sees what happened; where that cannot be, leave the code that shells give.
    process.exitCode = 128 + constants.signals[signal];
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

/** Whether this process is in the foreground group of a terminal (proc(5): pgrp and tpgid are fields 5 and 8 of stat). */
function isTerminalForeground() {
  if (process.platform !== 'linux') return process.stdin.isTTY === true;
  const stat = readFileSync('/proc/self/stat', 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[5]) > 0 && fields[2] === fields[5];
}
