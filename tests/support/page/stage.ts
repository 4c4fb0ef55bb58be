import { afterAll, beforeAll } from 'vitest';
import type { Browser } from 'playwright';
import { openBrowser } from './browser.ts';
import { stageService, type StagedService } from './staged-service.ts';

export interface Stage {
  readonly browser: Browser;
  readonly service: StagedService;
}

/** For a suite: a browser and a staged service, there for all of its tests. */
export function openStage(): Stage {
  let browser: Browser;
  let service: StagedService;
  beforeAll(async () => {
    browser = await openBrowser();
    service = await stageService();
  });
  afterAll(async () => {
    await browser.close();
    await service.http.close();
  });
  return {
    get browser() {
      return browser;
    },
    get service() {
      return service;
    },
  };
}
