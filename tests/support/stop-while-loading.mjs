import { registerHooks } from 'node:module';

/** With `--import` in front of a program: it gets the signal that STOP_BY names as it begins to load the module whose address ends in STOP_AT. */
registerHooks({
  load(url, context, next) {
    if (url.endsWith(process.env.STOP_AT ?? '')) process.kill(process.pid, process.env.STOP_BY);
    return next(url, context);
  },
});
