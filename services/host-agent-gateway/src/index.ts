export { gatewayService } from './gateway.module.js';
