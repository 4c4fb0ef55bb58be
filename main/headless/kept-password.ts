import { opensByItself } from '../compose/opens-by-itself.ts';
import { destinationPassword } from '../contract/secret-names.ts';
import type { CliHost } from './host.ts';
import { note } from './output.ts';

/** The password of a named destination that the service uses, where it is there for the asking; else null. */
export async function keptPassword(host: CliHost, name: string): Promise<string | null> {
  if (!(await opensByItself(host))) return null;
  return await (await host.openKeychain()).get(destinationPassword(name));
}

/** After a change of the password: the service must not go on with the former one. */
export async function replaceKeptPassword(host: CliHost, name: string, password: string): Promise<void> {
  const keychain = await host.openKeychain();
  if (!(await keychain.exists())) return;
  const secret = destinationPassword(name);
  if ((await keychain.get(secret)) === null) return;
  await keychain.set({ [secret]: password });
  await note(host, `The password that is kept for ${name} is changed, too.`);
}
