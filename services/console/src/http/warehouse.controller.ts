import { Controller, Delete, Get, Inject, Param, Post, Put, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { page, schemas, type Page, type ReplicationView, type WarehouseObject } from '@berth/client';
import { attributeQuery, neededBy, objectQuery, QueryFault, type AttributeQuery, type Needed } from '@berth/contracts';
import { Needs } from '../access/needs.js';
import { Images, objectForm } from '../views/images.js';
import { nothing } from './bodies.js';
import { accepted, commandId, Commands } from './commands.js';
import { command, Describe } from './describe.js';
import { showsWarehouse } from './image-answers.js';
import { named, nameIn } from './names.js';
import { beginsWith, between, listQuery, memoryForm, memoryPage, pageOf, type MemoryList } from './paging.js';
import * as parameters from './parameters.js';
import { HttpProblem, notFound } from './problem.js';
import { objectBody, queryText } from './server.js';

const list: MemoryList<ReplicationView> = {
  filters: { q: beginsWith(({ name }) => [name]), ...between<ReplicationView>(({ modified }) => modified) },
  sorts: { name: ({ name }) => name, modified: ({ modified }) => modified },
  tie: ({ name }) => name,
};
const form = memoryForm(list);
const unknown = (name: string): HttpProblem => notFound('unknown-policy', `replication policy ${JSON.stringify(name)}`, '/api/v1/warehouse/policies');
const known = (name: string): string => nameIn(name, unknown);

/** What is kept of images, and where it is kept a second time. */
@Controller('api/v1/warehouse')
export class WarehouseController {
  constructor(
    @Inject(Images) private readonly images: Images,
    @Inject(Commands) private readonly commands: Commands,
  ) {}

  @Get('objects')
  @Needs('images:read')
  @Describe({
    summary: 'Objects of the warehouse, newest first unless another order is asked for.',
    query: { ...parameters.ofList(objectForm), query: objectQuery.describe('of their attributes, such as `arch == "x86_64" && os.version >= 12`') },
    answers: { 200: page(schemas.WarehouseObject) }, problems: ['invalid-query'], shows: showsWarehouse,
  })
  async objects(@Req() request: FastifyRequest): Promise<Page<WarehouseObject>> {
    const query = listQuery(request, objectForm);
    return pageOf(await this.images.objects(attributesIn(queryText(request, 'query')), query), query, (object) => object);
  }

  @Get('policies')
  @Needs('images:read')
  @Describe({ summary: 'Replication policies, by name unless another order is asked for.', query: parameters.ofList(form), answers: { 200: page(schemas.ReplicationView) }, shows: showsWarehouse })
  async list(@Req() request: FastifyRequest): Promise<Page<ReplicationView>> {
    const query = listQuery(request, form);
    return memoryPage(await this.images.policies(), list, query);
  }

  @Get('policies/:name')
  @Needs('images:read')
  @Describe({ summary: 'One replication policy, and how far it is.', answers: { 200: schemas.ReplicationView }, problems: ['unknown-policy'], shows: showsWarehouse })
  async get(@Param('name') name: string): Promise<ReplicationView> {
    const policy = (await this.images.policies()).find((one) => one.name === name);
    if (!policy) throw unknown(name);
    return policy;
  }

  @Put('policies/:name')
  @Needs('images:write')
  @Describe({ summary: 'Saves which objects are kept a second time, and where.', writes: { at: '/api/v1/warehouse/policies/:name', kind: 'replication' }, body: command('image-factory', 'SaveReplicationPolicy', 'name'), answers: { 201: schemas.AcceptedName }, problems: ['invalid-query', 'provider-refused'] })
  async set(@Param('name') name: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    await this.commands.send('image-factory', 'SaveReplicationPolicy', named(objectBody(request), name, 'policy'), commandId(request));
    return accepted(reply, 201, `warehouse/policies/${name}`, { id: name, name });
  }

  @Delete('policies/:name')
  @Needs('images:write')
  @Describe({ summary: 'Copies nothing more under a policy; copies stay where they are.', answers: { 202: schemas.AcceptedName }, problems: ['unknown-policy'] })
  async remove(@Param('name') name: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    await this.commands.send('image-factory', 'RemoveReplicationPolicy', { policy: known(name) }, commandId(request));
    return accepted(reply, 202, 'warehouse/policies', { id: name, name });
  }

  @Post('policies/:name/check')
  @Needs('images:write')
  @Describe({ summary: 'Looks at every copy of a policy, and makes those anew that are not there or differ.', body: nothing, answers: { 202: schemas.Accepted }, problems: ['unknown-policy'] })
  async check(@Param('name') name: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    await this.commands.send('image-factory', 'CheckReplication', { policy: known(name) }, commandId(request));
    return accepted(reply, 202, `warehouse/policies/${name}`, { id: name });
  }
}

/** A query of attributes; none holds for everything. */
function attributesIn(text: string | undefined): { holds: AttributeQuery; needs?: Needed | undefined } {
  if (text === undefined) return { holds: () => true };
  try {
    return { holds: attributeQuery(text), needs: neededBy(text) };
  } catch (error) {
    if (!(error instanceof QueryFault)) throw error;
    throw new HttpProblem('invalid-query', `The query can't be read: ${error.message}.`, [{ field: 'query', message: error.message }]);
  }
}
