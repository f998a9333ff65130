import { lazy as reactLazy, type ComponentType } from 'react';

/** A page whose file can be fetched before it is shown. */
type PageComponent = ComponentType & { load?: () => Promise<unknown> };
const lazy = (load: () => Promise<{ default: ComponentType }>): PageComponent => Object.assign(reactLazy(load), { load });

/** One entry of the navigation, and the pages behind it. */
export interface Section {
  path: string;
  label: string;
  /** where else its pages are */
  also?: readonly string[];
  /** by path, the first that fits; `:name` is read with wouter's `useParams` */
  routes: Readonly<Record<string, PageComponent>>;
}

/** All pages, each in a file that is loaded when it is opened first. */
export const sections: readonly Section[] = [
  { path: '/', label: 'Overview', routes: { '/': lazy(() => import('./overview/overview')) } },
  { path: '/machines', label: 'Machines', routes: { '/machines': lazy(() => import('./machines/machines')), '/machines/:name': lazy(() => import('./machines/machine')) } },
  {
    path: '/hardware',
    label: 'Hardware',
    routes: {
      '/hardware': lazy(() => import('./hardware/list')), '/hardware/:name': lazy(() => import('./hardware/hardware')), '/hardware/:name/edit': lazy(() => import('./hardware/edit')),
      '/hardware/groups/:name/edit': lazy(() => import('./hardware/edit-group')),
    },
  },
  { path: '/jobs', label: 'Jobs', routes: { '/jobs': lazy(() => import('./jobs/jobs')), '/jobs/:id': lazy(() => import('./jobs/job')) } },
  {
    path: '/blueprints',
    label: 'Blueprints',
    routes: { '/blueprints': lazy(() => import('./blueprints/blueprints')), '/blueprints/:name': lazy(() => import('./blueprints/blueprint')), '/blueprints/:name/edit': lazy(() => import('./blueprints/edit')) },
  },
  { path: '/resources', label: 'Resources', routes: { '/resources': lazy(() => import('./resources/resources')), '/resources/:id': lazy(() => import('./resources/resource')) } },
  {
    path: '/leases',
    label: 'Leases',
    routes: { '/leases': lazy(() => import('./leases/leases')), '/leases/:id': lazy(() => import('./leases/lease')), '/leases/:id/terminal': lazy(() => import('./leases/terminal')) },
  },
  { path: '/plans', label: 'Plans', routes: { '/plans': lazy(() => import('./plans/plans')), '/plans/:name': lazy(() => import('./plans/plan')), '/plans/:name/start': lazy(() => import('./plans/start')) } },
  { path: '/builds', label: 'Builds', routes: { '/builds': lazy(() => import('./builds/builds')), '/builds/:id/:tab?': lazy(() => import('./builds/build')) } },
  {
    path: '/images',
    label: 'Images',
    also: ['/versions'],
    routes: {
      '/images': lazy(() => import('./images/images')), '/images/:name/edit': lazy(() => import('./images/edit')), '/images/:name/:tab?': lazy(() => import('./images/image')),
      '/versions/:id/:tab?': lazy(() => import('./versions/version')),
    },
  },
  {
    path: '/catalogs',
    label: 'Catalogs',
    routes: { '/catalogs': lazy(() => import('./catalogs/catalogs')), '/catalogs/:name': lazy(() => import('./catalogs/catalog')), '/catalogs/:kind/:name/edit': lazy(() => import('./catalogs/edit')) },
  },
  {
    path: '/warehouse',
    label: 'Warehouse',
    routes: { '/warehouse/:tab?': lazy(() => import('./warehouse/warehouse')), '/warehouse/policies/:name/edit': lazy(() => import('./warehouse/edit')) },
  },
  { path: '/history', label: 'History', routes: { '/history': lazy(() => import('./history/history')), '/history/:id': lazy(() => import('./history/of')) } },
  { path: '/usage', label: 'Usage', routes: { '/usage': lazy(() => import('./usage/usage')) } },
  { path: '/settings', label: 'Settings', routes: { '/settings/:tab?/:name?': lazy(() => import('./settings/settings')) } },
];

/** Whether a page belongs to a section. */
export function isOf({ path, also = [] }: Section, location: string): boolean {
  return path === '/' ? location === '/' : [path, ...also].some((one) => location === one || location.startsWith(`${one}/`));
}

/** Begins to fetch what is behind a path, while it is still being found out who is there. */
export function prefetch(location: string): void {
  const section = sections.find((one) => isOf(one, location)) ?? sections[0];
  const pattern = (path: string) => new RegExp(`^${path.replaceAll(/\/:\w+(\?)?/g, (_, optional) => (optional ? '(/[^/]+)?' : '/[^/]+'))}$`);
  const [, page] = Object.entries(section?.routes ?? {}).find(([path]) => pattern(path).test(location)) ?? [];
  // Tried again, and told, when it is shown.
  page?.load?.().catch(() => undefined);
}
