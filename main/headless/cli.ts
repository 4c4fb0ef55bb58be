import { benchReport } from './bench-report.ts';
import { composeHost } from './compose.ts';
import { exitCodes } from './exit-codes.ts';
import { inTurns } from '../compose/in-turns.ts';

/**
 * One Ctrl-C may arrive twice: from the terminal, which signals the whole process group, and passed on by the process that started us.
 */
const samePressMs = 100;

async function main(args: readonly string[]): Promise<void> {
  // Should the event loop run dry with the work undone, that is a failure, and not Node's own 13, which means damage here.
  process.exitCode = exitCodes.failed;
  const benchFile = process.env['HOLDFAST_BENCH_REPORT'] ?? '';
  const bench = benchFile === '' ? null : benchReport(benchFile);
  const stop = new AbortController();
  const host = composeHost(stop.signal, bench === null ? {} : { onCall: bench.onCall });
  const writeBench = (): void => {
    try {
      bench?.write();
    } catch (error) {
      process.stderr.write(`holdfast: the bench report was not written: ${String(error)}\n`);
    }
  };
  const exit = (code: number): void => {
    writeBench();
    process.exit(code);
  };

  let stoppedAt = 0;
  const onStop = (): void => {
    if (stop.signal.aborted) {
      if (performance.now() - stoppedAt <= samePressMs) return;
      writeBench();
      // process.exit waits for system calls under way, and one on a dead network drive never ends. Of a SIGINT a process dies
      // at once, and shells call that 130.
      process.removeAllListeners('SIGINT');
      process.kill(process.pid, 'SIGINT');
      return;
    }
    stoppedAt = performance.now();
    stop.abort();
    process.stderr.write(`${host.stderr.isTTY ? '\n' : ''}Stopping, and cleaning up. Once more stops at once.\n`);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onStop);

  const onCrash = (error: unknown): void => {
    import('./program.ts').then(({ tell }) => tell(error, args, host)).then(exit, () => exit(exitCodes.failed));
  };
  process.on('uncaughtException', onCrash);
  process.on('unhandledRejection', onCrash);

  try {
    // A service lives for years: it does not load the other commands.
    const isService = args.length === 1 && args[0] === 'service';
    // What every other command is made of, the costly parts of it first.
    if (!isService)
      await inTurns(
        () => import('zod'),
        () => import('../contract/settings.ts'),
        () => import('./program.ts'),
      );
    const { runCli } = isService ? await import('./serve.ts') : await import('./program.ts');
    exit(await runCli(args, host));
  } catch (error) {
    // What went wrong could not even be printed.
    if (process.env['HOLDFAST_DEBUG'] === '1') process.stderr.write(`${error instanceof Error ? (error.stack ?? '') : String(error)}\n`);
    exit(exitCodes.failed);
  }
}

void main(process.argv.slice(2));
