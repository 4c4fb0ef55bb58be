import type { Command } from 'commander';
import { Fault } from '../../contract/faults.ts';
import { exitCodeHelp, exitCodes } from '../exit-codes.ts';
import type { CommandContext } from '../host.ts';

const destinationHelp = `Destinations

  folder:/path       a folder on this computer or on a disk or share mounted here
  folder:relative    the same, from the current folder

  Each destination has one password. Its first backup makes it.
`;

const passwordHelp = `Passwords

  Looked for in this order:
    --recovery-key-file FILE   recovery keys, one a line, instead of the password
    --password-file FILE       the file's text without its last line end
    HOLDFAST_PASSWORD          the environment variable
    a prompt                   on the terminal, without echo

  Nothing is trimmed. A password is never taken from the command line, where every user of the computer could see it.
  Without the password and without a recovery key nobody can open the snapshots: make a kit (holdfast help kit).
`;

const topics: Readonly<Record<string, string>> = {
  'exit-codes': exitCodeHelp,
  destinations: destinationHelp,
  passwords: passwordHelp,
};

export function addHelp(program: Command, { host, end }: CommandContext): void {
  program
    .command('help')
    .summary('explain a command or a topic')
    .description(`Explains a command, or one of the topics ${Object.keys(topics).join(', ')}.`)
    .argument('[topic...]', 'a command or a topic')
    .addHelpText('after', '\nExample:\n  holdfast help exit-codes')
    .action(async (words: readonly string[]) => {
      const topic = topics[words.join(' ')];
      if (topic === undefined) findCommand(program, words).outputHelp();
      else await host.stdout.write(topic);
      end(exitCodes.done);
    });
}

function findCommand(program: Command, words: readonly string[]): Command {
  let found = program;
  for (const word of words) {
    const next = found.commands.find((command) => command.name() === word);
    if (next === undefined) {
      throw new Fault('config-invalid', `There is no command or topic ${words.join(' ')}; topics are ${Object.keys(topics).join(', ')}`, {
        operation: 'help',
      });
    }
    found = next;
  }
  return found;
}
