import { Controller, Inject } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import type { Answer, CommandData } from '@berth/contracts';
import type { Command } from '@berth/runtime';
import { WebhooksApp } from './webhooks.app.js';

type Data<T extends 'SaveWebhook' | 'RemoveWebhook' | 'SuspendWebhook' | 'ResumeWebhook' | 'RotateWebhookKey'> = Command<CommandData<'console', T>>;

/** From the bus to the application: one line each. */
@Controller()
export class WebhooksHandlers {
  constructor(@Inject(WebhooksApp) private readonly app: WebhooksApp) {}

  @MessagePattern('SaveWebhook')
  save(command: Data<'SaveWebhook'>): Promise<Answer> {
    return this.app.save(command);
  }

  @MessagePattern('RemoveWebhook')
  remove(command: Data<'RemoveWebhook'>): Promise<Answer> {
    return this.app.remove(command);
  }

  @MessagePattern('SuspendWebhook')
  suspend(command: Data<'SuspendWebhook'>): Promise<Answer> {
    return this.app.suspend(command);
  }

  @MessagePattern('ResumeWebhook')
  resume(command: Data<'ResumeWebhook'>): Promise<Answer> {
    return this.app.resume(command);
  }

  @MessagePattern('RotateWebhookKey')
  rotateKey(command: Data<'RotateWebhookKey'>): Promise<Answer> {
    return this.app.rotateKey(command);
  }
}
