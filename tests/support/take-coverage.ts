import { takeCoverage } from 'node:v8';
import { afterAll } from 'vitest';

/** Vitest ends its workers before V8 would write by itself. */
afterAll(() => takeCoverage());
