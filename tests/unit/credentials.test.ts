import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { withCredentials } from '../../main/adapters/keychain/credentials.ts';
import { registering } from '../../main/adapters/keychain/registering.ts';
import { redactor } from '../../main/adapters/logs/redactor.ts';
import { Fault } from '../../main/contract/faults.ts';
import { tempFolder } from '../support/temp-folder.ts';

test('every secret that systemd gives can be hidden, whatever its name means here and though the keychain behind is locked', async () => {
  const folder = tempFolder();
  writeFileSync(join(folder, 'holdfast.passphrase'), 'open sesame, please\n');
  writeFileSync(join(folder, 'holdfast.destination.my.nas.password'), 'correct horse battery');
  writeFileSync(join(folder, 'another.program'), 'not ours at all');
  const locked = (): Promise<never> => Promise.reject(new Fault('locked', 'locked'));
  const inner = { describe: locked, exists: locked, get: locked, set: locked, names: locked };
  const hide = redactor();
  await registering(withCredentials(inner, folder), (secret) => hide.register(secret)).given?.();
  const text = hide.text('open sesame, please; correct horse battery; not ours at all');
  expect(text).toBe('[hidden]; [hidden]; not ours at all');
});
