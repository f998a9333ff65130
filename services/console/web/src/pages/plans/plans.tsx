import { Empty } from '../../ui/empty';
import { Page } from '../../ui/page';

export default function Plans() {
  return <Page title="Plans"><Empty>Nothing is here yet.</Empty></Page>;
}
