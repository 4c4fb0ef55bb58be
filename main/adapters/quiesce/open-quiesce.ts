import type { QuiesceSettings } from '../../contract/server-settings.ts';
import type { Clock } from '../../engine/ports.ts';
import type { Quiesce } from '../../engine/service/ports.ts';
import { minecraftQuiesce, rconQuiesce, type RconPasswords } from './rcon-quiesce.ts';
import { unitQuiesce } from './unit-quiesce.ts';

/** What brings a server to rest as its settings say. The passwords are asked for only where they are needed. `redact` hides secrets in what a console or a program said. */
export async function openQuiesce(
  settings: QuiesceSettings,
  clock: Clock,
  rconPasswords: () => Promise<RconPasswords>,
  redact: (text: string) => string = (text) => text,
): Promise<Quiesce> {
  switch (settings.kind) {
    case 'none':
      return { pause: () => Promise.resolve(), resume: () => Promise.resolve() };
    case 'minecraft':
      return minecraftQuiesce(settings, { clock, redact, ...(await rconPasswords()) });
    case 'rcon':
      return rconQuiesce(settings, { clock, redact, ...(await rconPasswords()) });
    case 'systemd':
    case 'docker':
      return unitQuiesce(settings, clock, redact);
  }
}
