/**
 * Makes a fresh checkout ready: dependencies from the lock file, the pinned Node, the native zstd module built for that Node.
 * Plain JavaScript without dependencies, because it runs on whatever Node (20 or newer) the machine has, before anything is installed.
 * Done already: it says nothing and takes a few milliseconds.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { relative } from 'node:path';
import { SetupFault } from './setup/fault.mjs';
import { withLock } from './setup/lock.mjs';
import { buildPage, pageIsBuilt } from './setup/page.mjs';
import { cacheFolder, logFile, root } from './setup/places.mjs';
import { isReady, markReady, unmark } from './setup/stamp.mjs';
import {
  dependenciesAreInstalled,
  installDependencies,
  installNode,
  keytarLoads,
  nodeIsInstalled,
  zstdLoads,
  buildZstd,
  tryKeytar,
} from './setup/steps.mjs';

const steps = [
  {
    title: 'Installing the dependencies that package-lock.json names',
    isDone: dependenciesAreInstalled,
    run: installDependencies,
  },
  { title: 'Fetching the Node that this project pins', isDone: nodeIsInstalled, run: installNode },
  { title: 'Fetching or building the native zstd module (a build takes about a minute)', isDone: zstdLoads, run: buildZstd },
  { title: "Fetching or building the bridge to the system's keyring", isDone: keytarLoads, run: tryKeytar },
  { title: 'Building the page', isDone: pageIsBuilt, run: buildPage },
];

const oldestNode = 20;

async function setUp() {
  if (Number(process.versions.node.split('.')[0]) < oldestNode) {
    throw new SetupFault(`Node ${String(oldestNode)} or newer is needed to set up; this is ${process.versions.node}.`);
  }
  if (isReady() && pageIsBuilt()) return;
  mkdirSync(cacheFolder, { recursive: true });
  await withLock(() => {
    if (isReady() && pageIsBuilt()) return;
    const begun = Date.now();
    // Where only the page is to be built, the command goes on working meanwhile, and if that fails.
    if (!isReady()) unmark();
    rmSync(logFile, { force: true });
    for (const { title, isDone, run } of steps) {
      if (isDone()) continue;
      const since = Date.now();
      process.stdout.write(`Set-up: ${title} … `);
      try {
        const came = run();
        if (came === false) process.stdout.write('not here: keys can be kept in a file instead … ');
      } catch (error) {
        process.stdout.write('failed\n');
        throw error;
      }
      process.stdout.write(`done (${((Date.now() - since) / 1000).toFixed(0)} s)\n`);
    }
    markReady();
    process.stdout.write(`Set-up: ready after ${((Date.now() - begun) / 1000).toFixed(0)} s; later runs skip this.\n\n`);
  });
}

try {
  await setUp();
} catch (error) {
  if (!(error instanceof SetupFault)) throw error;
  process.stderr.write(`\nSet-up: ${error.message}\n`);
  if (error.hasLog) process.stderr.write(`Everything that was printed is in ${relative(root, logFile)}.\n`);
  process.exitCode = 1;
}
