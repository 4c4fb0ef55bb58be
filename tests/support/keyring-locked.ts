/** Locks the keyring of the session that it runs in, asks for everything, and prints what it found as one line of JSON. */
import { execFileSync } from 'node:child_process';
import { systemKeyring } from '../../main/adapters/keychain/system-keyring.ts';
import { asFault } from '../../main/contract/faults.ts';

const keychain = systemKeyring('Holdfast');
const codeOf = (work: Promise<unknown>): Promise<string> => work.then(String, (error: unknown) => asFault(error, 'ask').code);
await keychain.set({ 'destination/one/key': 'a planted secret' });
const lock = ['org.freedesktop.Secret.Service.Lock', 'array:objpath:/org/freedesktop/secrets/collection/login'];
execFileSync('dbus-send', ['--session', '--print-reply', '--dest=org.freedesktop.secrets', '/org/freedesktop/secrets', ...lock]);
const results: unknown[] = [];
const untold = systemKeyring('Holdfast', undefined, () => Promise.resolve(null));
for (const one of [keychain, untold]) {
  for (const ask of [() => one.get('destination/one/key'), () => one.names(), () => one.exists()]) results.push(await codeOf(ask()));
  results.push((await one.describe()).locked);
}
process.stdout.write(`${JSON.stringify(results)}\n`);
