/** Works on the keyring of the session that it runs in, and prints what it found as one line of JSON. */
import { systemKeyring } from '../../main/adapters/keychain/system-keyring.ts';
import { asFault } from '../../main/contract/faults.ts';

const keychain = systemKeyring('Holdfast');
const results: unknown[] = [];
try {
  results.push(await keychain.describe());
  await keychain.set({ 'destination/one/key': 'a planted secret', 'destination/two/key': 'zwölf €' });
  results.push(
    await keychain.get('destination/one/key'),
    await keychain.get('destination/two/key'),
    await keychain.get('destination/none/key'),
  );
  results.push([...(await keychain.names())].sort());
  await keychain.set({ 'destination/one/key': null });
  results.push(await keychain.get('destination/one/key'), await keychain.names());
} catch (error) {
  const { code, persistence, context } = asFault(error, 'drive');
  results.push({ code, persistence, keychain: context['keychain'] });
}
process.stdout.write(`${JSON.stringify(results)}\n`);
