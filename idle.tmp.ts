import { idleRows, measureIdleService } from './tests/bench/service-idle.ts';
import { tableOf } from './tests/bench/table.ts';
console.log(tableOf(idleRows(await measureIdleService(60))));
