import type { ImageVersionView } from '@berth/client';
import { useMemo } from 'react';
import { useRead } from '../../api/read';
import { Download } from '../../parts/download';
import { Empty } from '../../ui/empty';
import { Filters, SelectFilter, TextFilter } from '../../ui/filters';
import { useParam } from '../../ui/params';
import { Table, type Column } from '../../ui/table';
import { count } from '../../words/text';
import { packagesOf, withWords, type Pack } from './spdx';

const columns: readonly Column<Pack>[] = [
  { id: 'name', head: 'Package', width: '24%', sort: ({ name }) => name, cell: ({ name, purl }) => <span title={purl}>{name}</span> },
  { id: 'version', head: 'Version', width: '22%', sort: ({ version }) => version, cell: ({ version }) => <span className="mono" title={version}>{version}</span> },
  { id: 'license', head: 'Licence', width: '20%', sort: ({ license }) => license, cell: ({ license }) => <span title={license}>{license}</span> },
  { id: 'supplier', head: 'Supplier', sort: ({ supplier }) => supplier, cell: ({ supplier }) => <span className="quiet" title={supplier}>{supplier}</span> },
];

/** What a version consists of, by the bill of materials of a target. */
export function Sbom({ version: { id, image, number, targets } }: { version: ImageVersionView }) {
  const having = targets.filter(({ sbom }) => sbom !== null).map(({ target }) => target);
  const [asked] = useParam('target');
  const [text] = useParam('text');
  const target = having.find((one) => one === asked) ?? having[0];
  const read = useRead<unknown>(`versions/${id}/sbom`, { query: { target }, enabled: target !== undefined });
  const packs = useMemo(() => (read.data === undefined ? [] : packagesOf(read.data)), [read.data]);
  if (target === undefined) return <Empty>No target of it has a bill of materials.</Empty>;
  const found = withWords(packs, text);
  return (
    <>
      <div className="filters">
        <Filters>
          <TextFilter name="text" label="With the words" />
          {having.length > 1 && <SelectFilter name="target" label="Target" all={having[0]!} options={having.slice(1)} />}
        </Filters>
        <Download path={`versions/${id}/sbom`} query={{ target }} name={`${image}-${number}-${target}.spdx.json`}>Download (SPDX)</Download>
        <span className="quiet" role="status">{found.length === packs.length ? count(packs.length, 'package') : `${found.length} of ${count(packs.length, 'package')}`}</span>
      </div>
      <Table label="Packages" least={760} columns={columns} rows={found} rowKey={({ name, version }) => `${name} ${version}`} loading={read.isPending} error={read.error} empty={text === '' ? 'It names no packages.' : 'No package is like that.'} />
    </>
  );
}
