import { tellSystemdReady } from '../adapters/system/tell-systemd.ts';
import { exitCodes } from './exit-codes.ts';
import type { CliHost } from './host.ts';
import { note } from './output.ts';
import { runService } from '../compose/service/run-service.ts';

/** `holdfast service` without anything behind it, as program.ts would run it; settles to the exit code. */
export async function runCli(args: readonly string[], host: CliHost): Promise<number> {
  try {
    await serve(host);
    return exitCodes.done;
  } catch (error) {
    const { tell } = await import('./program.ts');
    return await tell(error, args, host);
  }
}

/** Runs the service in the foreground until it is told to stop. */
export async function serve(host: CliHost): Promise<void> {
  await askForKeys(host);
  await runService(host, async (port) => {
    await note(host, `Holdfast ${host.version} runs and listens on 127.0.0.1:${port} (holdfast open-page). Ctrl-C stops it.`);
    await tellSystemdReady(process.env);
  });
}

/** Somebody who starts it on a terminal can give the passphrase now; later there is nobody to ask. */
async function askForKeys(host: CliHost): Promise<void> {
  // A file that cannot be used is told by the service itself.
  const settings = await (await host.openSettings()).read().catch(() => null);
  if (settings === null) return;
  const usesKeys = Object.keys(settings.destinations).length > 0 && (settings.keychain ?? 'sealed-file') === 'sealed-file';
  if (host.askSecret !== null && usesKeys) await (await host.openKeychain()).names();
}
