import type { CallHandlers } from '../../contract/calls.ts';
import { Fault } from '../../contract/faults.ts';
import { saying } from '../../contract/sayings.ts';
import type { Notice } from '../../contract/notices.ts';
import type { ChosenLook, hostFeatures } from '../../contract/setup-calls.ts';

export type HostFeature = (typeof hostFeatures)[number];

/** What the program around the service can do on a desktop. Whatever is absent is refused, and not named in service.info. */
export interface HostFeatures {
  /** Null: the person chose none. */
  readonly pickFolder?: () => Promise<string | null>;
  /** In the person's browser. */
  readonly openLink?: (link: string) => Promise<void>;
  /** Whether it starts with the person's session; sets it first where that is given. */
  readonly autostart?: (on?: boolean) => Promise<boolean>;
  readonly showNotice?: (notice: Notice) => Promise<void>;
  /** Language and theme that were chosen on the page, for what is shown around it. */
  readonly look?: (look: ChosenLook) => Promise<void>;
}

export function featuresOf({ pickFolder, openLink, autostart, showNotice, look }: HostFeatures): HostFeature[] {
  const all: readonly (readonly [HostFeature, unknown])[] = [
    ['pick-folder', pickFolder],
    ['open-link', openLink],
    ['autostart', autostart],
    ['desktop-notices', showNotice],
    ['look', look],
  ];
  return all.flatMap(([feature, answers]) => (answers === undefined ? [] : [feature]));
}

export type HostCalls = Pick<CallHandlers, 'host.pickFolder' | 'host.openLink' | 'host.autostart' | 'host.look'>;

export function hostCalls({ pickFolder, openLink, autostart, look }: HostFeatures): HostCalls {
  return {
    'host.pickFolder': async () => ({ path: await there(pickFolder, 'choose a folder in a window')() }),
    'host.openLink': async ({ link }) => {
      const open = there(openLink, 'open a link');
      // A page must not start programs or open files by way of their addresses.
      if (!/^https?:$/.test(new URL(link).protocol)) {
        throw new Fault('config-invalid', 'only links of http and https are opened', { operation: 'open link' });
      }
      await open(link);
      return {};
    },
    'host.look': async (chosen) => {
      await there(look, 'show itself otherwise')(chosen);
      return {};
    },
    'host.autostart': async ({ on }) => ({ on: await there(autostart, 'start with the session')(on) }),
  };
}

function there<T>(answers: T | undefined, what: string): T {
  if (answers !== undefined) return answers;
  throw new Fault('config-invalid', `this service cannot ${what}: that needs the desktop app`, {
    operation: 'ask the host',
    context: { ...saying('needs-app', {}), next: 'Use the desktop app; service.info names what there is.' },
  });
}
