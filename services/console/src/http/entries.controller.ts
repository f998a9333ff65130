import { Controller, Delete, Get, Inject, Param, Put, Req, Res, type Type } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { page, schemas, type Page } from '@berth/client';
import type { CatalogEntryKind, CommandType } from '@berth/contracts';
import { Needs } from '../access/needs.js';
import type { Permission } from '../access/permissions.js';
import type { Entry } from '../views/catalogue.js';
import { catalogView, deployableView, entryViews } from '../views/image-views.js';
import { Images } from '../views/images.js';
import { accepted, commandId, Commands } from './commands.js';
import { command, Describe, type Shows } from './describe.js';
import { named, nameIn } from './names.js';
import { beginsWith, between, listQuery, memoryForm, memoryPage, type MemoryList } from './paging.js';
import * as parameters from './parameters.js';
import { notFound, type HttpProblem, type ProblemCode } from './problem.js';
import { objectBody } from './server.js';

/** What is shown of an entry, and when it was saved. */
interface Shown {
  view: { name: string };
  modified: string;
}

/** One kind of what people name in the catalogue. */
interface EntryKind {
  kind: CatalogEntryKind;
  /** of its controller, and so of its routes in the document */
  group: string;
  path: string;
  /** one of them, and several, for people */
  words: readonly [string, string];
  save: CommandType<'image-factory'>;
  needs: Permission;
  unknown: Extract<ProblemCode, `unknown-${string}`>;
  /** why one is not saved */
  problems: readonly ProblemCode[];
  view: z.ZodType;
  shows: Shows;
  all(images: Images): Promise<Shown[]>;
}

const list: MemoryList<Shown> = {
  filters: { q: beginsWith(({ view }) => [view.name]), ...between<Shown>(({ modified }) => modified) },
  sorts: { name: ({ view }) => view.name, modified: ({ modified }) => modified },
  tie: ({ view }) => view.name,
};
const form = memoryForm(list);

/** The routes of one kind of entries: each kind is a controller of its own. */
function controllerOf({ kind, group, path, words: [one, several], save, needs, unknown, problems, view, shows, all }: EntryKind): Type {
  const missing = (name: string): HttpProblem => notFound(unknown, `${one} ${JSON.stringify(name)}`, `/api/v1/${path}`);

  @Controller(`api/v1/${path}`)
  class EntriesController {
    constructor(
      @Inject(Images) private readonly images: Images,
      @Inject(Commands) private readonly commands: Commands,
    ) {}

    @Get()
    @Needs('images:read')
    @Describe({ summary: `${several[0]!.toUpperCase()}${several.slice(1)}, by name unless another order is asked for.`, query: parameters.ofList(form), answers: { 200: page(view) }, shows })
    async list(@Req() request: FastifyRequest): Promise<Page<unknown>> {
      const query = listQuery(request, form);
      const { items, ...rest } = memoryPage(await all(this.images), list, query);
      return { items: items.map((shown) => shown.view), ...rest };
    }

    @Get(':name')
    @Needs('images:read')
    @Describe({ summary: `One ${one}.`, answers: { 200: view }, problems: [unknown], shows })
    async get(@Param('name') name: string): Promise<unknown> {
      const found = (await all(this.images)).find((shown) => shown.view.name === name);
      if (!found) throw missing(name);
      return found.view;
    }

    @Put(':name')
    @Needs(needs)
    @Describe({ summary: `Saves ${article(one)}; replaces what was said before.`, writes: { at: `/api/v1/${path}/:name`, kind: 'catalog' }, body: command('image-factory', save, 'name'), answers: { 201: schemas.AcceptedName }, problems })
    async set(@Param('name') name: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
      await this.commands.send('image-factory', save, named(objectBody(request), name, one), commandId(request));
      return accepted(reply, 201, `${path}/${name}`, { id: name, name });
    }

    @Delete(':name')
    @Needs(needs)
    @Describe({ summary: `Removes ${article(one)} that nothing names.`, answers: { 202: schemas.AcceptedName }, problems: [...new Set<ProblemCode>([unknown, 'unknown-catalog-entry', 'catalog-in-use'])] })
    async remove(@Param('name') name: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
      await this.commands.send('image-factory', 'RemoveCatalogEntry', { kind, name: nameIn(name, missing) }, commandId(request));
      return accepted(reply, 202, path, { id: name, name });
    }
  }
  // The routes of a controller are named after it.
  Object.defineProperty(EntriesController, 'name', { value: `${group}Controller` });
  return EntriesController;
}

const article = (word: string): string => (/^[aeiou]/.test(word) ? `an ${word}` : `a ${word}`);
const shown = <K extends CatalogEntryKind, V extends { name: string }>(entries: readonly Entry<K>[], view: (entry: Entry<K>) => V): Shown[] => entries.map((entry) => ({ view: view(entry), modified: entry.modified }));
const inCatalogue: Shows = { kinds: ['catalog', 'image'], rows: true };

/** All kinds of entries: one line each. */
const kinds: readonly EntryKind[] = [
  {
    kind: 'provider', group: 'Providers', path: 'providers', words: ['provider', 'places that images are pushed to'], save: 'SaveProvider', needs: 'providers:write', unknown: 'unknown-provider', problems: ['catalog-in-use', 'provider-refused'],
    view: schemas.ProviderView, shows: inCatalogue,
    all: async (images) => {
      const { catalogue } = await images.catalogue();
      return shown(catalogue.all('provider'), (entry) => entryViews.provider(entry, catalogue));
    },
  },
  {
    kind: 'account', group: 'Accounts', path: 'accounts', words: ['account', 'accounts of providers'], save: 'SaveAccount', needs: 'providers:write', unknown: 'unknown-account', problems: ['unknown-provider', 'unknown-catalog-entry', 'catalog-in-use', 'provider-refused'],
    view: schemas.AccountView, shows: inCatalogue,
    all: async (images) => {
      const { catalogue } = await images.catalogue();
      return shown(catalogue.all('account'), (entry) => entryViews.account(entry, catalogue));
    },
  },
  {
    kind: 'environment', group: 'Environments', path: 'environments', words: ['environment', 'environments'], save: 'SaveEnvironment', needs: 'images:write', unknown: 'unknown-catalog-entry', problems: ['unknown-account', 'unknown-catalog-entry', 'unbuildable-target'],
    view: schemas.EnvironmentView, shows: inCatalogue,
    all: async (images) => {
      const { catalogue, images: counts } = await images.catalogue();
      return shown(catalogue.all('environment'), (entry) => entryViews.environment(entry, catalogue, counts));
    },
  },
  {
    kind: 'pool', group: 'Pools', path: 'pools', words: ['pool', 'pools of environments'], save: 'SavePool', needs: 'images:write', unknown: 'unknown-catalog-entry', problems: ['unknown-catalog-entry'],
    view: schemas.PoolView, shows: inCatalogue,
    all: async (images) => {
      const { catalogue } = await images.catalogue();
      return shown(catalogue.all('pool'), (entry) => entryViews.pool(entry, catalogue));
    },
  },
  {
    kind: 'catalog', group: 'Catalogs', path: 'catalogs', words: ['catalog', 'catalogs, with how each of their deployables stands'], save: 'SaveCatalog', needs: 'images:write', unknown: 'unknown-catalog-entry', problems: ['unknown-catalog-entry'],
    view: schemas.CatalogView, shows: inCatalogue,
    all: async (images) => {
      const { catalogue, boards } = await images.offers();
      return shown(catalogue.all('catalog'), (entry) => catalogView(entry, boards, catalogue));
    },
  },
  {
    kind: 'deployable', group: 'Deployables', path: 'deployables', words: ['deployable', 'deployables, with how each stands'], save: 'SaveDeployable', needs: 'images:write', unknown: 'unknown-catalog-entry', problems: ['unknown-catalog-entry', 'unknown-image', 'unknown-channel'],
    view: schemas.DeployableView, shows: inCatalogue,
    all: async (images) => {
      const { catalogue, boards } = await images.offers();
      return shown(catalogue.all('deployable'), (entry) => deployableView(entry, entry.spec.catalogs, boards, catalogue));
    },
  },
];

/** The controllers of the catalogue. */
export const entryControllers: readonly Type[] = kinds.map(controllerOf);
