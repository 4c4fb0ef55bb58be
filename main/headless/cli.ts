import { callsEnded, endAtOnce } from '../adapters/system/calls-under-way.ts';
import { benchReport, type BenchReport } from './bench-report.ts';
import { exitCodes } from './exit-codes.ts';
import { inTurns } from '../compose/in-turns.ts';

/** One Ctrl-C may arrive twice: from the terminal, which signals the whole process group, and from npm, which passes it on. */
const samePressMs = 250;
/** By this one the launcher passes on what it was sent (bin/holdfast.js): as it hears of the same Ctrl-C, and may be held up, it counts by itself. */
const passedOn = 'SIGUSR2';
const samePassedMs = 2_000;
/** For calls of the file system that are under way at the end of what was stopped. */
const graceMs = 500;

async function main(args: readonly string[]): Promise<void> {
  // Should the event loop run dry with the work undone, that is a failure, and not Node's own 13, which means damage here.
  process.exitCode = exitCodes.failed;
  const stop = new AbortController();
  let bench: BenchReport | null = null;
  const writeBench = (): void => {
    try {
      bench?.write();
    } catch (error) {
      process.stderr.write(`holdfast: the bench report was not written: ${String(error)}\n`);
    }
  };
  // A service lives for years: it does not load the other commands.
  const isService = args.length === 1 && args[0] === 'service';
  const exit = async (code: number): Promise<void> => {
    writeBench();
    const isDone = await callsEnded(graceMs);
    // process.exit would wait for them, and no signal be handled meanwhile.
    if (!isDone && (isService || stop.signal.aborted)) endAtOnce();
    process.exit(code);
  };

  /** What one way of being told to stop does: the second time it ends at once, unless that is the first one heard again within `sameMs`. */
  const stopper = (sameMs: number): (() => void) => {
    let heardAt: number | null = null;
    return () => {
      const now = performance.now();
      if (heardAt !== null && now - heardAt > sameMs) {
        writeBench();
        endAtOnce();
        return;
      }
      heardAt ??= now;
      if (stop.signal.aborted) return;
      stop.abort();
      process.stderr.write(`${process.stderr.isTTY ? '\n' : ''}Stopping, and cleaning up. Once more stops at once.\n`);
    };
  };
  const onStop = stopper(samePressMs);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onStop);
  if (process.platform !== 'win32') process.on(passedOn, stopper(samePassedMs));

  // Only now, as it takes most of the time of starting: who stops the command meanwhile is answered too.
  const { composeHost } = await import('./compose.ts');
  const benchFile = process.env['HOLDFAST_BENCH_REPORT'] ?? '';
  if (benchFile !== '') bench = benchReport(benchFile);
  const host = composeHost(stop.signal, bench === null ? {} : { onCall: bench.onCall });

  const onCrash = (error: unknown): void => {
    import('./program.ts').then(({ tell }) => tell(error, args, host)).then(exit, () => exit(exitCodes.failed));
  };
  process.on('uncaughtException', onCrash);
  process.on('unhandledRejection', onCrash);

  try {
    // What every other command is made of, the costly parts of it first.
    if (!isService)
      await inTurns(
        () => import('zod'),
        () => import('../contract/settings.ts'),
        () => import('./program.ts'),
      );
    const { runCli } = isService ? await import('./serve.ts') : await import('./program.ts');
    await exit(await runCli(args, host));
  } catch (error) {
    // What went wrong could not even be printed.
    if (process.env['HOLDFAST_DEBUG'] === '1') process.stderr.write(`${error instanceof Error ? (error.stack ?? '') : String(error)}\n`);
    await exit(exitCodes.failed);
  }
}

void main(process.argv.slice(2));
