import type { ImageVersionView, TargetImageView } from '@berth/client';
import { Link } from 'wouter';
import { press } from '../../api/commands';
import { useHas } from '../../api/session';
import { Act } from '../../parts/act';
import { Failed } from '../../parts/failed';
import { ImageBadge } from '../../parts/image-state';
import { BuildLink } from '../../parts/links';
import { RemovalButton } from '../../parts/removal';
import { Bar } from '../../ui/bar';
import { Section } from '../../ui/page';
import { bytes } from '../../words/text';
import { onVersion, rebuild } from '../images/offers';

/** What a version is built as: each target with its build. */
export function TargetImages({ version }: { version: ImageVersionView }) {
  return (
    <Section title="Targets" note="what it is built as">
      <div className="table-box loose board" tabIndex={0} role="group" aria-label="Targets, table">
        <table className="table" aria-label="Targets">
          <thead><tr><th scope="col">Target</th><th scope="col">Status</th><th scope="col">Build</th><th scope="col">Image</th><th scope="col"><span className="hidden-visually">Actions</span></th></tr></thead>
          <tbody>{version.targets.map((target) => <Target key={target.target} version={version} of={target} />)}</tbody>
        </table>
      </div>
    </Section>
  );
}

function Target({ version, of }: { version: ImageVersionView; of: TargetImageView }) {
  const { target, status, percent, activity, error, failed, attempt, build, file, sbom, provided } = of;
  return (
    <tr>
      <th scope="row">{target}</th>
      <td>
        <div className="cell">
          <ImageBadge status={status} />
          {status === 'BUILDING' && <Bar small tone="busy" percent={percent} label={`Build of ${target}`} />}
          {activity !== null && <span className="quiet">{activity}</span>}
          {/* Why it could not be removed is told below. */}
          <Failed times={failed.length} error={failed.at(-1)?.error ?? (status === 'DELETEFAILED' ? null : error)} />
          {status === 'DELETEFAILED' && <span className="text-bad">{error}</span>}
        </div>
      </td>
      <td>{build !== null && <><BuildLink id={build} />{attempt > 1 && `, try ${attempt}`} · <Link href={`/builds/${build}/log`} aria-label={`Log of ${target}`}>Log</Link> · <Link href={`/builds/${build}/artifacts`} aria-label={`Artifacts of ${target}`}>Artifacts</Link></>}</td>
      <td>
        {file && <div><span title={`SHA-256 ${file.sha256}`}>{file.name}</span> <span className="quiet">{bytes(file.bytes)}</span></div>}
        {provided && <div><span className="mono">{provided.id}</span> <span className="quiet">of {provided.account}</span></div>}
        {sbom && <div className="quiet">with a bill of materials</div>}
      </td>
      <td><Offers version={version} of={of} /></td>
    </tr>
  );
}

function Offers({ version: { id, number, image, imported }, of: { target, status } }: { version: ImageVersionView; of: TargetImageView }) {
  const has = useHas('images:build');
  const command = rebuild(image, id, target);
  return (
    <span className="row">
      {status === 'FAILED' && !imported && has && <Act needs="images:build" small pending={command.key} label={`Build again for ${target}`} onPress={() => press(command)}>Build again</Act>}
      {(status === 'COMPLETE' || status === 'DELETEFAILED') && (
        <RemovalButton
          small label={`Remove ${target}`} title={`Remove ${target} of version ${number}`} cascade="also what was pushed of it" says="What was built for this target is removed; other targets stay."
          command={{ key: `remove ${id} ${target}`, label: `Removal of ${target}`, path: `versions/${id}/targets/${target}`, until: onVersion(image, id, 'DeletionStarted', 'Deleted') }}
        />
      )}
    </span>
  );
}
