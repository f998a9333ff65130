import type { ImageVersionView, LineageView } from '@berth/client';
import { useRead } from '../../api/read';
import { ImageLink, VersionLink } from '../../parts/links';
import { Badge } from '../../ui/badge';
import { Loaded } from '../../ui/empty';
import { Section } from '../../ui/page';
import { Table, type Column } from '../../ui/table';
import { rowsOf, type Related } from './related';

const columns: readonly Column<Related>[] = [
  { id: 'how', head: 'How', width: '120px', cell: ({ how }) => <span className="quiet">{how}</span> },
  { id: 'image', head: 'Image', cell: ({ image }) => <ImageLink name={image} /> },
  { id: 'version', head: 'Version', width: '110px', cell: ({ version, number }) => <VersionLink id={version} number={number} /> },
  { id: 'channels', head: 'Channels', width: '24%', cell: ({ channels }) => channels },
  { id: 'marks', head: 'Marks', width: '190px', cell: ({ outdated, revoked }) => <>{outdated && <Badge status="outdated" />} {revoked && <Badge status="revoked" />}</> },
];

/** What a version is made of, and what is made of it. */
export function Lineage({ version: { id } }: { version: ImageVersionView }) {
  const read = useRead<LineageView>(`versions/${id}/lineage`);
  return (
    <Section title="Lineage" note="outdated: what it is made of has moved on, or was revoked">
      <Loaded read={read}>{(lineage) => <Table label="Lineage" least={680} columns={columns} rows={rowsOf(lineage)} rowKey={({ version }) => version} empty="It is made of no other image, and none is made of it." sortParam="lineage" />}</Loaded>
    </Section>
  );
}
