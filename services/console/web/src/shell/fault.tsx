import { Component, type ReactNode } from 'react';
import { ProblemBox } from '../ui/problem';

/** A mistake of ours in one page leaves the frame standing. */
export class Fault extends Component<{ children: ReactNode }, { error?: unknown }> {
  override state: { error?: unknown } = {};

  static getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error };
  }

  override render(): ReactNode {
    if (this.state.error === undefined) return this.props.children;
    return (
      <div className="page">
        <h1>This page has failed</h1>
        <ProblemBox error={this.state.error} />
        <div><button className="button" onClick={() => location.reload()}>Load it again</button></div>
      </div>
    );
  }
}
