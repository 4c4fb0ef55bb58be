/**
 * `npm test`: types, lint, format and all tests; arguments go to Vitest. The last line counts, in a form that machines read as well.
 * A check counts as a test: it passes or fails.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { CleanBefore } from './tests/clean-before.ts';
import type { Reads } from './tests/clean-before.ts';
import { provideDebianPackages } from './tests/debian.ts';
import { keytarLoads, tryKeytar } from './setup/steps.mjs';
import { provideUnpacked } from './tests/unpacked.ts';
import { runTests } from './tests/run-tests.ts';
import type { FileCounts } from './tests/count-reporter.ts';
import { runOnceMore } from './tests/once-more.ts';

const root = join(import.meta.dirname, '..');
const tool = (...path: readonly string[]): string => join(root, 'node_modules', ...path);

/** What the configurations of lint and types are made of. */
const settings = [
  'eslint.config.js',
  'svelte.config.js',
  'tooling',
  'tsconfig.base.json',
  'tsconfig.json',
  'package.json',
  'package-lock.json',
];

interface Check {
  readonly name: string;
  readonly args: readonly string[];
  /** It is not run again while none of this has changed since it was clean. */
  readonly reads?: Reads;
}

// What Prettier says of a file depends on that file, its options, which its cache knows, and its version, which the name stands for.
const formatVersion = new CleanBefore(root).key(['package-lock.json']);
const formatCache = ['--cache', '--cache-strategy=content', `--cache-location=${join(root, '.cache', 'prettier', formatVersion)}`];

const eslint = tool('eslint', 'bin', 'eslint.js');
const checks: readonly Check[] = [
  { name: 'types', args: [join(root, 'scripts', 'typecheck.ts')] },
  { name: 'lint', args: [eslint, '.', '--ignore-pattern', 'renderer/'] },
  // By itself, as it may import nothing but the contract.
  { name: 'lint of the page', args: [join(root, 'scripts', 'tests', 'lint-page.ts')], reads: ['renderer', 'main/contract', ...settings] },
  { name: 'format', args: [tool('prettier', 'bin', 'prettier.cjs'), '--check', '--log-level=warn', ...formatCache, '.'] },
];

const shownSlow = 10;

const told = (files: readonly FileCounts[]): string =>
  files
    .flatMap(({ file, failures }) => failures.map(({ name, said }) => `  ${file}: ${name}\n${said.replaceAll(/^/gmu, '    ')}\n`))
    .join('');

await provideDebianPackages();
provideUnpacked();
if (!keytarLoads()) tryKeytar();

interface Checked {
  readonly name: string;
  readonly isOk: boolean;
  readonly said: string;
}

async function check({ name, args, reads }: Check): Promise<Checked> {
  const before = new CleanBefore(root);
  const key = reads === undefined ? null : before.key(reads);
  if (key !== null && before.isClean(name, key))
    return { name, isOk: true, said: `ok: ${name} (nothing has changed since it was clean)\n` };
  const since = Date.now();
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  const [code] = (await once(child, 'close')) as [number | null];
  const isOk = code === 0;
  // Not what was changed while it ran.
  if (isOk && reads !== undefined && key !== null && before.key(reads) === key) before.remember(name, key);
  return { name, isOk, said: `${said}${isOk ? 'ok' : 'FAILED'}: ${name} (${((Date.now() - since) / 1000).toFixed(0)} s)\n` };
}

/** In turn, as each keeps one core busy. */
async function checkAll(): Promise<readonly Checked[]> {
  const results: Checked[] = [];
  for (const each of checks) results.push(await check(each));
  return results;
}

// Beside the tests, which leave a core idle whenever they wait for the disk or for each other. What the checks say is shown at the end:
// Vitest writes over what others print meanwhile.
process.stdout.write(`Checking ${checks.map(({ name }) => name).join(', ')} beside the tests …\n`);
const [first, results] = await Promise.all([runTests(process.argv.slice(2)), checkAll()]);
const { counts, recovered } = await runOnceMore(first, runTests);
const { files } = counts;
const failedChecks = results.filter(({ isOk }) => !isOk);
const skipped = files.flatMap((each) => each.skipped.map(({ name, reason }) => ({ name: `${each.file}: ${name}`, reason })));
const failures = files.flatMap((each) => each.failures);

process.stdout.write(`\n${results.map(({ said }) => said).join('')}`);
if (failedChecks.length > 0) process.stdout.write(`\nFailed checks: ${failedChecks.map(({ name }) => name).join(', ')}\n`);
if (skipped.length > 0) {
  process.stdout.write('\nSkipped:\n');
  for (const { name, reason } of skipped) process.stdout.write(`  ${name}${reason === '' ? '' : ` (${reason})`}\n`);
}
// Of a run of everything: a file that grows too long is seen before the whole is.
if (process.argv.length === 2) {
  process.stdout.write('\nSlowest test files:\n');
  const slowest = files.toSorted((a, b) => b.seconds - a.seconds).slice(0, shownSlow);
  for (const { file, seconds } of slowest) process.stdout.write(`  ${String(seconds).padStart(4)} s  ${file}\n`);
}
if (recovered.length > 0)
  process.stdout.write(`\nFailed at first, and passed when their files ran once more by themselves:\n${told(recovered)}`);
// Near the end, where whoever has only the end of a long output looks for it.
if (failures.length > 0) process.stdout.write(`\nFailed:\n${told(files)}`);
const passed = files.reduce((sum, each) => sum + each.passed, 0) + checks.length - failedChecks.length;
const failed = failures.length + counts.otherFailures + failedChecks.length;
process.stdout.write(`\n${String(passed)} passed, ${String(failed)} failed, ${String(skipped.length)} skipped\n`);
process.exitCode = failed === 0 ? 0 : 1;
