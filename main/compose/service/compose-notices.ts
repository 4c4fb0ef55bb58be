import type { Log } from '../../adapters/logs/log-file.ts';
import { ping } from '../../adapters/notify/ping.ts';
import type { ServiceEvent } from '../../contract/events.ts';
import { nextStep } from '../../contract/fault-texts.ts';
import type { Fault } from '../../contract/faults.ts';
import type { Clock } from '../../engine/ports.ts';
import type { Keychain } from '../../engine/service/keychain.ts';
import { createNotifier, type Notifier } from '../../engine/service/notifier.ts';
import type { StateStore } from '../../engine/service/ports.ts';
import type { LiveSettings, SettingsHost } from '../../engine/service/settings-ports.ts';

export interface NoticesParts {
  readonly clock: Clock;
  readonly store: StateStore;
  readonly log: Log;
  readonly settings: LiveSettings;
  readonly keychain: () => Promise<Keychain>;
  readonly deliver: SettingsHost['deliver'];
  readonly emit: (event: ServiceEvent) => void;
}

export interface ComposedNotices extends Notifier {
  /** The settings file cannot be used, and why. */
  settingsProblem(fault: Fault): void;
}

/** Who is told of what goes wrong: the log, whoever listens, and the targets in the settings. */
export function composeNotices({ clock, store, log, settings, keychain, deliver, emit }: NoticesParts): ComposedNotices {
  const notifier = createNotifier({
    ...{ clock, store, keychain, ping, deliver },
    targets: () => settings.current().notices,
    isKept: (slug) => settings.current().servers.some((server) => server.slug === slug),
    onNotice: (notice) => {
      log.write('warn', 'notice', { ...notice });
      emit({ event: 'notice', data: notice });
    },
    onUndelivered: (target, message) => log.write('warn', 'notice not delivered', { target, message }),
  });
  return {
    ...notifier,
    settingsProblem(fault) {
      const { message } = fault;
      log.write('error', 'settings', { message });
      notifier.tell(
        {
          ...{ kind: 'settings', server: '', title: 'Holdfast: the settings file cannot be used', text: message },
          ...{ next: `${nextStep(fault)} Until then the settings from before hold.`, at: clock.now(), repeats: 0 },
        },
        () => settings.problem() === message,
      );
    },
  };
}
