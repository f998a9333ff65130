import { Controller, Delete, Get, HttpCode, Inject, Param, Post, Put, Req, Res } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { page, schemas, type Page, type SecretView } from '@berth/client';
import { MOST_SECRET_BYTES, secretName } from '@berth/contracts';
import { seal, type SealingKey } from '@berth/runtime';
import { Needs } from '../access/needs.js';
import { Fleet } from '../views/fleet.js';
import { accepted, commandId, Commands } from './commands.js';
import { bytes, Describe } from './describe.js';
import { HttpProblem, notFound } from './problem.js';

/** Secrets: their values come in here, are sealed before anything else happens, and never go out again. */
@Controller('api/v1')
export class SecretsController {
  constructor(
    @Inject(Fleet) private readonly fleet: Fleet,
    @Inject(Commands) private readonly commands: Commands,
  ) {}

  @Get('secrets')
  @Needs('secrets:read')
  @Describe({ summary: 'The names of all secrets, with who set them and when. Never a value.', answers: { 200: page(schemas.SecretView) } })
  list(): Page<SecretView> {
    return { items: this.fleet.secretList(), cursor: null };
  }

  /** The body is the value, byte for byte. */
  @Put('secrets/:name')
  @Needs('secrets:write')
  @Describe({ summary: 'Sets a secret. It is sealed to the gateway before anything else, and never goes out again.', body: bytes('the value, byte for byte'), answers: { 202: schemas.AcceptedName }, problems: ['sealing-key-changed'] })
  async set(@Param('name') name: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const checked = checkedName(name);
    const id = commandId(request);
    const value = await valueOf(request);
    const key = (await this.commands.send('host-agent-gateway', 'SealingKey', {}, randomUUID())).data as unknown as SealingKey;
    await this.commands.send('host-agent-gateway', 'SetSecret', { name: checked, sealed: seal(key, value, { command: id, name: checked }) }, id);
    return accepted(reply, 202, 'secrets', { id: checked, name: checked });
  }

  @Delete('secrets/:name')
  @Needs('secrets:write')
  @Describe({ summary: 'Removes a secret.', answers: { 202: schemas.AcceptedName }, problems: ['unknown-secret'] })
  async remove(@Param('name') name: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    if (!secretName.safeParse(name).success) throw notFound('unknown-secret', `secret ${JSON.stringify(name)}`, '/api/v1/secrets');
    await this.commands.send('host-agent-gateway', 'RemoveSecret', { name }, commandId(request));
    return accepted(reply, 202, 'secrets', { id: name, name });
  }

  /** Encrypts all values under a new key. */
  @Post('secrets/rotate')
  @Needs('secrets:write')
  @Describe({ summary: 'Encrypts all values under a new key.', answers: { 202: schemas.AcceptedSecrets }, problems: ['no-new-key'] })
  @HttpCode(202)
  async rotate(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const { id, data } = await this.commands.send('host-agent-gateway', 'RotateSecrets', {}, commandId(request), { patienceMs: 60_000 });
    return accepted(reply, 202, 'secrets', { id, secrets: Number(data['secrets']) });
  }
}

function checkedName(name: string): string {
  const parsed = secretName.safeParse(name);
  if (parsed.success) return parsed.data;
  throw new HttpProblem('invalid-data', 'The request is refused: the name of a secret is 1 to 128 letters, digits, ".", "_" or "-", and begins with a letter or digit.', [{ field: 'name', message: 'must be 1 to 128 letters, digits, ".", "_" or "-"' }]);
}

/** Read here and nowhere else, so that nothing that tells of bodies ever sees it. */
async function valueOf({ body }: FastifyRequest): Promise<Buffer> {
  if (typeof body !== 'object' || body === null || !(Symbol.asyncIterator in body)) {
    throw new HttpProblem('unsupported-media-type', 'The body must be the value itself: send it as application/octet-stream.');
  }
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of body as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > MOST_SECRET_BYTES) throw new HttpProblem('too-large', `A secret has at most ${MOST_SECRET_BYTES} bytes: keep a key for what is larger instead.`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}
