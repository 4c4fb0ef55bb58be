import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

/** With `--import` in front of a program: the address of each module that it loads goes into the file that MODULE_TRACE names, a line each. */
registerHooks({
  load(url, context, next) {
    appendFileSync(process.env.MODULE_TRACE ?? '', `${url}\n`);
    return next(url, context);
  },
});
