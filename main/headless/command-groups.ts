import type { Command } from 'commander';
import type { CommandContext } from './host.ts';

/** Adds a command to the program. */
type Add = (program: Command, context: CommandContext) => void;

interface CommandEntry {
  /** The first word of its command line. */
  readonly name: string;
  readonly load: () => Promise<Add>;
}

/** All commands, as the help lists them. Each is loaded when it is asked for. */
export const commandGroups: readonly { readonly heading: string; readonly commands: readonly CommandEntry[] }[] = [
  {
    heading: 'Back up and bring back:',
    commands: [
      { name: 'backup', load: async () => (await import('./commands/backup.ts')).addBackup },
      { name: 'restore', load: async () => (await import('./commands/restore.ts')).addRestore },
      { name: 'undo', load: async () => (await import('./commands/undo.ts')).addUndo },
    ],
  },
  {
    heading: 'Look:',
    commands: [
      { name: 'snapshots', load: async () => (await import('./commands/snapshots.ts')).addSnapshots },
      { name: 'ls', load: async () => (await import('./commands/ls.ts')).addLs },
      { name: 'diff', load: async () => (await import('./commands/diff.ts')).addDiff },
      { name: 'find', load: async () => (await import('./commands/find.ts')).addFind },
      { name: 'versions', load: async () => (await import('./commands/find.ts')).addVersions },
      { name: 'usage', load: async () => (await import('./commands/usage.ts')).addUsage },
      { name: 'verify', load: async () => (await import('./commands/verify.ts')).addVerify },
      { name: 'test', load: async () => (await import('./commands/test.ts')).addTest },
    ],
  },
  {
    heading: 'Run by itself:',
    commands: [
      { name: 'server', load: async () => (await import('./commands/server.ts')).addServer },
      { name: 'service', load: async () => (await import('./commands/service.ts')).addService },
      { name: 'open-page', load: async () => (await import('./commands/service.ts')).addOpenPage },
      { name: 'notice', load: async () => (await import('./commands/notice.ts')).addNotice },
      { name: 'bandwidth', load: async () => (await import('./commands/config.ts')).addBandwidth },
    ],
  },
  {
    heading: 'Backup places and secrets:',
    commands: [
      { name: 'destination', load: async () => (await import('./commands/destination.ts')).addDestination },
      { name: 'keychain', load: async () => (await import('./commands/keychain.ts')).addKeychain },
      { name: 'config', load: async () => (await import('./commands/config.ts')).addConfig },
    ],
  },
  {
    heading: 'Keep and remove:',
    commands: [
      { name: 'prune', load: async () => (await import('./commands/prune.ts')).addPrune },
      { name: 'pin', load: async () => (await import('./commands/pin.ts')).addPin },
      { name: 'unpin', load: async () => (await import('./commands/pin.ts')).addUnpin },
      { name: 'retention', load: async () => (await import('./commands/retention.ts')).addRetention },
    ],
  },
  {
    heading: 'Password and emergencies:',
    commands: [
      { name: 'password', load: async () => (await import('./commands/password.ts')).addPassword },
      { name: 'kit', load: async () => (await import('./commands/kit.ts')).addKit },
      { name: 'open', load: async () => (await import('./commands/open.ts')).addOpen },
    ],
  },
  {
    heading: 'Help:',
    commands: [
      { name: 'help', load: async () => (await import('./commands/help.ts')).addHelp },
      { name: 'report', load: async () => (await import('./commands/report.ts')).addReport },
    ],
  },
];

export const commandNames: readonly string[] = commandGroups.flatMap(({ commands }) => commands.map(({ name }) => name));
