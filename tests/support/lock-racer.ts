import { closeSync, openSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { asFault } from '../../main/contract/faults.ts';
import { acquireLock } from '../../main/adapters/system/lock.ts';
import type { Lock } from '../../main/adapters/system/lock.ts';
import { machineId } from '../../main/adapters/system/machine-id.ts';
import { systemRandom } from '../../main/adapters/system/random.ts';

/** What the tests ask of a process of its own; the answer comes back as one message. `at`: not before this time, so that all begin together. */
export type Order =
  | { readonly do: 'take'; readonly stateDir: string; readonly names: readonly string[]; readonly at: number }
  | { readonly do: 'loop'; readonly stateDir: string; readonly name: string; readonly times: number; readonly dieHolding: boolean }
  | { readonly do: 'machine-id'; readonly stateDirs: readonly string[]; readonly at: number };

const held: Lock[] = [];

async function tryLock(stateDir: string, name: string): Promise<Lock | undefined> {
  try {
    return await acquireLock(stateDir, name);
  } catch (error) {
    if (asFault(error, 'race').code === 'locked') return undefined;
    throw error;
  }
}

function waitFor(time: number): void {
  while (Date.now() < time) continue;
}

/** Holds what it wins to its end. */
async function take(order: Extract<Order, { do: 'take' }>): Promise<readonly string[]> {
  const won: string[] = [];
  waitFor(order.at);
  for (const name of order.names) {
    const lock = await tryLock(order.stateDir, name);
    if (lock === undefined) continue;
    held.push(lock);
    won.push(name);
  }
  return won;
}

/** A file that may be made only once at a time is the witness that nobody else is inside. */
async function loop(order: Extract<Order, { do: 'loop' }>): Promise<number> {
  const witness = join(order.stateDir, 'inside');
  let taken = 0;
  while (taken < order.times) {
    const lock = await tryLock(order.stateDir, order.name);
    if (lock === undefined) {
      await new Promise((resolve) => setImmediate(resolve));
      continue;
    }
    closeSync(openSync(witness, 'wx'));
    await new Promise((resolve) => setImmediate(resolve));
    unlinkSync(witness);
    taken += 1;
    if (order.dieHolding && taken === order.times) process.kill(process.pid, 'SIGKILL');
    await lock.release();
  }
  return taken;
}

async function ids(order: Extract<Order, { do: 'machine-id' }>): Promise<readonly string[]> {
  waitFor(order.at);
  const found: string[] = [];
  for (const stateDir of order.stateDirs) found.push(await machineId(stateDir, systemRandom));
  return found;
}

async function obey(order: Order): Promise<unknown> {
  if (order.do === 'take') return await take(order);
  if (order.do === 'loop') return await loop(order);
  return await ids(order);
}

process.on('message', (order: Order) => {
  obey(order).then(
    (value) => process.send?.({ value }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.send?.('ready');
