import type { Command } from 'commander';
import { Fault } from '../../contract/faults.ts';
import { exitCodeHelp, exitCodes } from '../exit-codes.ts';
import type { CommandContext } from '../host.ts';

const destinationHelp = `Destinations

  folder:/path       a folder on this computer or on a disk or share mounted here
  folder:relative    the same, from the current folder
  s3:bucket/prefix?region=eu-central-1
                     a bucket at AWS
  s3:bucket/prefix?endpoint=https://host
                     a bucket on another S3 server; region=, path-style=true|false, storage-class=, sse=AES256|aws:kms,
                     sse-kms-key= and checksums=true|false may follow
  s3:bucket/prefix?preset=wasabi&region=eu-central-1
                     one of aws, minio, digitalocean, wasabi, r2, hetzner, b2-s3

  b2:bucket/prefix   a bucket at Backblaze B2; keys from B2_APPLICATION_KEY_ID and B2_APPLICATION_KEY
  google-drive:folder, dropbox:folder
                     a folder in the account that was signed in; see holdfast destination sign-in --help
  NAME               one of those that “holdfast destination list” shows

  In a shell, quote an address with ? and &. Keys come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (AWS_SESSION_TOKEN for
  temporary ones), else from where the AWS tools look (AWS_PROFILE and so on), never from the address.

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
