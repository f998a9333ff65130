import { Empty } from '../../ui/empty';
import { Page } from '../../ui/page';

export default function Builds() {
  return <Page title="Builds"><Empty>Nothing is here yet.</Empty></Page>;
}
