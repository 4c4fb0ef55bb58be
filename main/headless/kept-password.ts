import { destinationPassword } from '../contract/secret-names.ts';
import type { CliHost } from './host.ts';
import { note } from './output.ts';

/** After a change of the password: the service must not go on with the former one. */
export async function replaceKeptPassword(host: CliHost, name: string, password: string): Promise<void> {
  const keychain = await host.openKeychain();
  if (!(await keychain.exists())) return;
  const secret = destinationPassword(name);
  const isChanged = await (
    await host.openSettings()
  ).alone(async () => {
    if ((await keychain.get(secret)) === null) return false;
    await keychain.set({ [secret]: password });
    return true;
  });
  if (isChanged) await note(host, `The password that is kept for ${name} is changed, too.`);
}
