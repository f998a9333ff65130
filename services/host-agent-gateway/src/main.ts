import { runDefinition } from '@berth/runtime';
import { gatewayService } from './gateway.module.js';

await runDefinition(gatewayService);
