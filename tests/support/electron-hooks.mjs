import { registerHooks } from 'node:module';

/** electron-store asks Electron for its folder. */
const store = `export default class {
  constructor({ defaults }) { this.kept = { ...defaults }; }
  get(name) { return this.kept[name]; }
  set(name, value) { this.kept[name] = value; }
}`;

/** Puts the stand-ins in the place of Electron, for a built app that runs in Node. */
const places = {
  electron: new URL('./electron-stub.ts', import.meta.url).href,
  'electron-store': `data:text/javascript,${encodeURIComponent(store)}`,
};

registerHooks({
  resolve: (specifier, context, next) =>
    Object.hasOwn(places, specifier) ? { url: places[specifier], shortCircuit: true } : next(specifier, context),
});
