import { readdirSync } from 'node:fs';
import type { FileCalls } from '../../main/adapters/files/file-calls.ts';
import { nodeFileCalls } from '../../main/adapters/files/file-calls.ts';
import { createRestoreTargets } from '../../main/adapters/files/restore-targets.ts';
import { createUndoTarget } from '../../main/adapters/files/undo.ts';
import { asFault } from '../../main/contract/faults.ts';
import { faultyCalls } from './swap-faults.ts';
import { nobodyUsesIt, request, scenarios, swapTime } from './swap-scenarios.ts';
import { treeDigest } from './tree-digest.ts';

/**
 * A process of its own for the tests that kill one: `node swap-driver.ts STEP… TARGET`, where a step is `setup:NAME`, `run:NAME`,
 * `recover`, `undo`, `where`, which prints the staging folder or the fault as one JSON line, `hold`, which prepares a restore and waits to be killed, or `show`, which prints the target's digest and the names around it as one JSON line. With HOLDFAST_KILL_AT=N
 * a run ends by a real SIGKILL just before its changing call N.
 */
const steps = process.argv.slice(2);
const target = steps.pop();
if (target === undefined) throw new Error('no target');

const killAt = Number(process.env['HOLDFAST_KILL_AT'] ?? 0);
const runCalls: FileCalls =
  killAt === 0 ? nodeFileCalls : faultyCalls({ at: killAt, kind: 'dead', kill: () => process.kill(process.pid, 'SIGKILL') });

function scenarioOf(name: string | undefined): (typeof scenarios)[number] {
  const found = scenarios.find((scenario) => scenario.name === name);
  if (found === undefined) throw new Error(`no scenario ${name ?? ''}`);
  return found;
}

async function where(path: string): Promise<unknown> {
  try {
    const staging = await createRestoreTargets({ refuseWhenUsed: nobodyUsesIt }).prepare(request(path));
    await staging.abort();
    return { dir: staging.dir };
  } catch (error) {
    return { fault: asFault(error, 'test').code };
  }
}

async function hold(path: string): Promise<void> {
  const staging = await createRestoreTargets({ refuseWhenUsed: nobodyUsesIt }).prepare(request(path));
  console.log(staging.dir);
  setInterval(() => staging.dir, 1_000_000);
  await new Promise(() => undefined);
}

for (const step of steps) {
  const [verb, name] = step.split(':');
  if (verb === 'setup') await scenarioOf(name).setUp(target, nodeFileCalls);
  else if (verb === 'run') await scenarioOf(name).run(target, runCalls);
  else if (verb === 'recover') await createRestoreTargets().recover(target);
  else if (verb === 'undo') await createUndoTarget({ refuseWhenUsed: nobodyUsesIt }).undo(target, { force: false, time: swapTime + 1 });
  else if (verb === 'show')
    console.log(JSON.stringify({ digest: treeDigest(target, (entry) => entry.startsWith('.holdfast-')), inside: readdirSync(target) }));
  else if (verb === 'where') console.log(JSON.stringify(await where(target)));
  else if (verb === 'hold') await hold(target);
  else throw new Error(`no step ${step}`);
}
