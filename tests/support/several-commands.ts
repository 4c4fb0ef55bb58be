import { composeHost } from '../../main/headless/compose.ts';
import { runCli } from '../../main/headless/program.ts';

/*
 * Runs command lines, a JSON list each, one after the other in this one process, until one fails, and ends as it did: for what goes before a test. Most of what a
 * command costs is its start.
 */

const stop = new AbortController();
for (const line of process.argv.slice(2)) {
  const code = await runCli(JSON.parse(line) as readonly string[], composeHost(stop.signal, {}));
  if (code !== 0) {
    process.stderr.write(`holdfast ${line} ended with ${String(code)}\n`);
    process.exit(code);
  }
}
process.exit(0);
