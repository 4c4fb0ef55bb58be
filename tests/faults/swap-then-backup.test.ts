import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createRestoreTargets } from '../../main/adapters/files/restore-targets.ts';
import { world } from '../support/engine-on-memory.ts';
import { leftovers, nobodyUsesIt, request } from '../support/swap-scenarios.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { treeDigest } from '../support/tree-digest.ts';

const driver = join(import.meta.dirname, '../support/swap-driver.ts');

/** A folder with a restore that was killed just before its changing call `at`. */
function halfExchanged(scenario: string, at: number): { readonly home: string; readonly target: string } {
  const home = tempFolder();
  const target = join(home, 'srv');
  mkdirSync(home, { recursive: true });
  for (const [step, env] of [[`setup:${scenario}`, {}] as const, [`run:${scenario}`, { HOLDFAST_KILL_AT: String(at) }] as const]) {
    spawnSync(process.execPath, [driver, step, target], { env: { ...process.env, ...env } });
  }
  return { home, target };
}

test.each([
  ['partial swap', 32],
  ['whole swap with carry-over', 60],
])('a backup finishes an exchange that was killed first, and never stores a state between (%s, call %i)', async (scenario, most) => {
  const one = world();
  let finished = 0;
  // From the last call backwards, so that some lie between the first rename and the last.
  for (let at = most; at > 0 && finished < 2; at -= 1) {
    const { home, target } = halfExchanged(scenario, at);
    const { warnings, id } = await one.backup(target, { server: `${scenario} ${String(at)}`, force: true });
    expect(leftovers(home, target)).toEqual([]);
    if (!warnings.some(({ code, message }) => code === 'recovered' && message.includes('during the exchange'))) continue;
    finished += 1;
    const back = join(tempFolder(), 'back');
    await one.restore(back, { snapshot: id, server: `${scenario} ${String(at)}` });
    expect(treeDigest(back, () => false)).toBe(treeDigest(target, (name) => name.startsWith('.holdfast-')));
  }
  expect(finished).toBe(2);
});

test('a backup waits for no restore that is at work on its folder: it is refused', async () => {
  const target = join(tempFolder(), 'srv');
  mkdirSync(target);
  const staging = await createRestoreTargets({ refuseWhenUsed: nobodyUsesIt }).prepare(request(target));
  await expect(world().backup(target)).rejects.toMatchObject({ code: 'locked' });
  await staging.abort();
});
