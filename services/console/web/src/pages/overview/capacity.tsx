import type { CapacityView, SlotCounts } from '@berth/client';
import { BlueprintLink } from '../../parts/links';
import { SlotBar } from '../../parts/slot-bar';
import { Loaded } from '../../ui/empty';
import { TextFilter } from '../../ui/filters';
import { Section } from '../../ui/page';
import { useParam } from '../../ui/params';
import { Table, type Column } from '../../ui/table';
import { useCapacity } from './reads';

const always: readonly (keyof SlotCounts)[] = ['total', 'busy', 'free'];
const sometimes: readonly (keyof SlotCounts)[] = ['booting', 'draining', 'held', 'quarantined', 'unreachable', 'broken'];

/** A column for each way that slots are: those that none is like are left out. */
const countsOf = (total: SlotCounts): readonly Column<SlotCounts>[] =>
  [...always, ...sometimes.filter((key) => total[key] > 0)].map((key) => ({
    id: key, head: key === 'busy' ? 'In use' : `${key[0]!.toUpperCase()}${key.slice(1)}`, width: key === 'quarantined' || key === 'unreachable' ? '108px' : '84px', number: true, sort: (row) => row[key],
    cell: (row) => (row[key] === 0 && !always.includes(key) ? <span className="quiet">–</span> : row[key]),
  }));

type Blueprint = CapacityView['blueprints'][number];
type Value = CapacityView['values'][number];
const bar: Column<SlotCounts> = { id: 'bar', head: 'Slots', width: '22%', cell: (row) => <SlotBar slots={row} /> };
const blueprintsOf = (counts: readonly Column<SlotCounts>[]): readonly Column<Blueprint>[] => [{ id: 'blueprint', head: 'Blueprint', sort: ({ blueprint }) => blueprint, cell: ({ blueprint, enabled }) => <><BlueprintLink name={blueprint} />{!enabled && <span className="quiet"> disabled</span>}</> }, bar, ...counts];
const valuesOf = (by: string, counts: readonly Column<SlotCounts>[]): readonly Column<Value>[] => [{ id: 'value', head: by, sort: ({ value }) => value ?? '', cell: ({ value }) => value ?? <span className="quiet">without it</span> }, bar, ...counts];

/** Slots of hosts, by blueprint and by an attribute of choice. */
export function Capacity() {
  const [by] = useParam('by');
  const read = useCapacity(by);
  return (
    <Section title="Capacity" note="slots of hosts" actions={<TextFilter name="by" label="By attribute" placeholder="such as os or pool" />}>
      <Loaded read={read}>
        {({ total, blueprints, values, by: attribute }) => (
          <>
            <Table label="Capacity by blueprint" least={720} columns={blueprintsOf(countsOf(total))} rows={blueprints} rowKey={({ blueprint }) => blueprint} empty="There is no blueprint that gives hosts." sortParam="capacity" />
            {attribute !== null && <Table label={`Capacity by ${attribute}`} least={720} columns={valuesOf(attribute, countsOf(total))} rows={values} rowKey={({ value }) => value ?? ''} empty={`No host has the attribute ${attribute}.`} sortParam="values" />}
          </>
        )}
      </Loaded>
    </Section>
  );
}
