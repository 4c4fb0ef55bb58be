import { registerHooks } from 'node:module';

/**
 * With `--import` in front of scripts/try.ts: no command is run, and the comparison at its end finds the tree that TRY_COPY names in the place of
 * what would have been restored. All else is the script's own.
 */
const command = `
  export const stateFolder = 'try/state';
  export class CommandFailed extends Error {}
  export const holdfast = () => 1;
  export const holdfastJson = () => [{ complete: true, storedBytes: 1 }];`;

registerHooks({
  load(url, context, next) {
    if (url.endsWith('/scripts/try/command.ts')) return { format: 'module', source: command, shortCircuit: true };
    if (!url.endsWith('/scripts/try/compare.ts')) return next(url, context);
    const source = `
      import { compareTrees as compare } from ${JSON.stringify(`${url}?real`)};
      export const compareTrees = (folder) => compare(folder, process.env.TRY_COPY);`;
    return { format: 'module', source, shortCircuit: true };
  },
});
